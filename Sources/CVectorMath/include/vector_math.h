#pragma once
#include <stddef.h>

/* Elementwise float32 arithmetic of a decoder layer. Every sum runs over sixteen fixed lanes, so
   that the order of additions is the same whatever vector width the processor has; only fused
   multiply-adds still differ between processors. */

/// x ← x / (1 + exp(−x))
void gambit_silu(float *x, size_t count);

/// x ← x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))
void gambit_gelu_tanh(float *x, size_t count);

/// out ← a ⊙ b
void gambit_multiply(float *out, const float *a, const float *b, size_t count);

/// x ← x + bias
void gambit_add(float *x, const float *bias, size_t count);

/// out ← x / sqrt(mean(x²) + epsilon) ⊙ weight; `out` may be `x`.
void gambit_rms_norm(float *out, const float *x, const float *weight, size_t count, float epsilon);

/// x ← softmax(scale · x)
void gambit_softmax(float *x, size_t count, float scale);

/// log Σ exp(x)
float gambit_log_sum_exp(const float *x, size_t count);

/// Σ_i p_i · (log p_i − log q_i), p and q the softmax of the two rows of logits.
double gambit_kl_divergence(const float *p_logits, const float *q_logits, size_t count);

/// Rotates the pairs (x_i, x_{i + half}) by the angles whose cosines and sines are given.
void gambit_rotate_half(float *x, const float *cosine, const float *sine, size_t half);
