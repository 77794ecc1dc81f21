#include "vector_math.h"
#include <math.h>
#include <stdint.h>
#include <string.h>

/* The loops below are plain C that compilers vectorise; on x86-64 Linux each is compiled once a
   processor generation and the loader picks. NEON is the baseline on arm64. */
#if defined(__x86_64__) && defined(__linux__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif

#define LANES 16
#define INLINE static inline __attribute__((always_inline))

/* exp by 2^n · e^r with |r| ≤ ln2/2 and the Taylor polynomial of degree 7 (relative error below
   1e-7). Branch-free, so that it vectorises; below −87.3 the result is 0, above 88.3
   infinity: a large finite one would make silu(−3e38) −1.3 instead of 0. NaN stays NaN. */
INLINE float fast_exp(float x) {
  const float clamped = x < -87.3f ? -87.3f : (x > 88.3f ? 88.3f : x);
  const float shifted = clamped * 1.44269504f + 12582912.0f;  // adding 1.5·2^23 rounds to an integer
  const float n = shifted - 12582912.0f;
  const float r = (clamped - n * 0.693359375f) + n * 2.12194440e-4f;
  float y = 1.98412698e-4f;
  y = y * r + 1.38888889e-3f;
  y = y * r + 8.33333333e-3f;
  y = y * r + 4.16666667e-2f;
  y = y * r + 1.66666667e-1f;
  y = y * r + 0.5f;
  y = y * r + 1.0f;
  y = y * r + 1.0f;
  uint32_t bits;
  memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 127u) << 23;
  float power;
  memcpy(&power, &bits, sizeof power);
  return x < -87.3f ? 0.0f : (x > 88.3f ? INFINITY : y * power);
}

INLINE float sum_of(const float *lanes) {
  float total = 0;
  for (int l = 0; l < LANES; l++) total += lanes[l];
  return total;
}

INLINE float maximum_of(const float *x, size_t count) {
  float lanes[LANES];
  for (int l = 0; l < LANES; l++) lanes[l] = -INFINITY;
  size_t i = 0;
  for (; i + LANES <= count; i += LANES)
    for (int l = 0; l < LANES; l++) lanes[l] = x[i + l] > lanes[l] ? x[i + l] : lanes[l];
  float top = -INFINITY;
  for (int l = 0; l < LANES; l++) top = lanes[l] > top ? lanes[l] : top;
  for (; i < count; i++) top = x[i] > top ? x[i] : top;
  return top;
}

FOR_EACH_PROCESSOR void gambit_silu(float *x, size_t count) {
  for (size_t i = 0; i < count; i++) x[i] = x[i] / (1.0f + fast_exp(-x[i]));
}

FOR_EACH_PROCESSOR void gambit_gelu_tanh(float *x, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const float v = x[i];
    const float z = 0.7978845608f * (v + 0.044715f * v * v * v);
    x[i] = v / (1.0f + fast_exp(-2.0f * z));  // (1 + tanh z)/2 = 1/(1 + e^{−2z})
  }
}

FOR_EACH_PROCESSOR void gambit_multiply(float *out, const float *a, const float *b, size_t count) {
  for (size_t i = 0; i < count; i++) out[i] = a[i] * b[i];
}

FOR_EACH_PROCESSOR void gambit_add(float *x, const float *bias, size_t count) {
  for (size_t i = 0; i < count; i++) x[i] += bias[i];
}

FOR_EACH_PROCESSOR void gambit_rms_norm(float *out, const float *x, const float *weight, size_t count, float epsilon) {
  float lanes[LANES] = {0};
  size_t i = 0;
  for (; i + LANES <= count; i += LANES)
    for (int l = 0; l < LANES; l++) lanes[l] += x[i + l] * x[i + l];
  float squares = sum_of(lanes);
  for (; i < count; i++) squares += x[i] * x[i];
  const float scale = 1.0f / sqrtf(squares / (float)count + epsilon);
  for (i = 0; i < count; i++) out[i] = x[i] * scale * weight[i];
}

FOR_EACH_PROCESSOR void gambit_softmax(float *x, size_t count, float scale) {
  const float top = maximum_of(x, count);
  float lanes[LANES] = {0};
  size_t i = 0;
  for (; i + LANES <= count; i += LANES)
    for (int l = 0; l < LANES; l++) {
      x[i + l] = fast_exp((x[i + l] - top) * scale);
      lanes[l] += x[i + l];
    }
  float total = sum_of(lanes);
  for (; i < count; i++) {
    x[i] = fast_exp((x[i] - top) * scale);
    total += x[i];
  }
  const float inverse = 1.0f / total;
  for (i = 0; i < count; i++) x[i] *= inverse;
}

FOR_EACH_PROCESSOR float gambit_log_sum_exp(const float *x, size_t count) {
  const float top = maximum_of(x, count);
  float lanes[LANES] = {0};
  size_t i = 0;
  for (; i + LANES <= count; i += LANES)
    for (int l = 0; l < LANES; l++) lanes[l] += fast_exp(x[i + l] - top);
  float total = sum_of(lanes);
  for (; i < count; i++) total += fast_exp(x[i] - top);
  return top + logf(total);
}

FOR_EACH_PROCESSOR double gambit_kl_divergence(const float *p_logits, const float *q_logits, size_t count) {
  const float p_sum = gambit_log_sum_exp(p_logits, count);
  const float q_sum = gambit_log_sum_exp(q_logits, count);
  double lanes[LANES] = {0};
  size_t i = 0;
  for (; i + LANES <= count; i += LANES)
    for (int l = 0; l < LANES; l++) {
      const float log_p = p_logits[i + l] - p_sum;
      lanes[l] += (double)(fast_exp(log_p) * (log_p - (q_logits[i + l] - q_sum)));
    }
  double total = 0;
  for (int l = 0; l < LANES; l++) total += lanes[l];
  for (; i < count; i++) {
    const float log_p = p_logits[i] - p_sum;
    total += (double)(fast_exp(log_p) * (log_p - (q_logits[i] - q_sum)));
  }
  return total;
}

FOR_EACH_PROCESSOR void gambit_rotate_half(float *x, const float *cosine, const float *sine, size_t half) {
  for (size_t i = 0; i < half; i++) {
    const float a = x[i], b = x[i + half];
    x[i] = a * cosine[i] - b * sine[i];
    x[i + half] = b * cosine[i] + a * sine[i];
  }
}
