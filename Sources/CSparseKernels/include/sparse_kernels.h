#pragma once
#include <stddef.h>
#include <stdint.h>

/* Products of one vector with a matrix, each over a part of the work so that threads can share it.
   Weights are f32, f16 or bf16; activations and sums are float32. Only elements that a kernel is
   asked for are read, and never one past the end of a row. */

/// How a matrix stores its elements.
typedef enum { GAMBIT_F32, GAMBIT_F16, GAMBIT_BF16 } gambit_type;

/// A row-major matrix without gaps. Elements need no more alignment than their own size.
typedef struct {
  const void *elements;
  size_t rows;
  size_t columns;
  gambit_type type;
} gambit_matrix;

/// The half-open range of rows, or of columns, that a call works on.
typedef struct {
  size_t first;
  size_t end;
} gambit_range;

/// The function between the gate projection and the product with the up projection.
typedef enum { GAMBIT_SILU, GAMBIT_GELU_TANH } gambit_activation;

/// Magnitudes that channels must reach to be kept: of channel c `values[c · step]`, so that a step of 0
/// means one for all.
typedef struct {
  const float *values;
  size_t step;
} gambit_thresholds;

/// Kept channels in ascending order, and what each is worth. Both arrays have room for every channel
/// that a call looks at, kept or not.
typedef struct {
  uint32_t *channels;
  float *values;
} gambit_kept;

/// The kernels of one instruction set.
typedef struct {
  /// y[r] ← Σ_c w[r, c] · x[c] for the rows of a range.
  void (*gemv)(const gambit_matrix *w, const float *x, float *y, gambit_range rows);

  /// y[c] ← y[c] + Σ_k values[k] · w[inputs[k], c] for the columns of a range. Additions run in the
  /// order of the list, so that a column's sum is the same however columns are shared out.
  void (*spvmm)(
    const gambit_matrix *w, const uint32_t *inputs, const float *values, size_t count, float *y,
    gambit_range columns);

  /// y[k] ← g[k] · Σ_c w[outputs[k], c] · x[c] for k < count; y may be g.
  void (*vmmsp)(
    const gambit_matrix *w, const float *x, const uint32_t *outputs, const float *g, size_t count, float *y);

  /// g ← activation(W x) for the rows of a range; lists those with |g| ≥ threshold, thus never one
  /// that is not a number. Returns how many.
  size_t (*gate)(
    const gambit_matrix *w, const float *x, gambit_activation activation, gambit_thresholds thresholds,
    gambit_kept kept, gambit_range rows);
} gambit_kernels;

/// Lists the channels of a range with |x| ≥ threshold, thus never one that is not a number. Returns how many.
size_t gambit_select(const float *x, gambit_thresholds thresholds, gambit_kept kept, gambit_range channels);

typedef enum { GAMBIT_SCALAR, GAMBIT_AVX2, GAMBIT_AVX512, GAMBIT_NEON } gambit_instruction_set;

/// The kernels of an instruction set; NULL where this processor, or this program, lacks it.
const gambit_kernels *gambit_kernels_for(gambit_instruction_set set);
