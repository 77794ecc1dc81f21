#pragma once
#include <stddef.h>
#include <stdint.h>

/* Products of one vector with a matrix, each over a part of the work so that threads can share it.
   Weights are f32, f16, bf16 or quantised to 8 or 4 bits; f16 and 8 bits may lie in two planes of half the bits each.
   Sums are float32. Only rows that a kernel is asked for are read, and never a byte past the end of one. */

/// How a matrix stores its elements.
///
/// The quantised ones store each row as a record: codes of groups of 32 along the columns, zeros beyond the
/// last; a float16 scale a group; for GAMBIT_Q4 a float16 minimum a group; except in planes zeros up to a multiple of
/// 64 bytes. GAMBIT_INT8: signed bytes, value = code · scale. The others: sixteen bytes a group, of byte i the low half
/// is the code of element i and the high half that of element i + 16, value = code · scale + minimum for GAMBIT_Q4.
///
/// Nibbles are the two halves of codes −127 … 127 of 8 bits, each its own matrix with the same scales:
/// c + 128 = 16 · high + low. GAMBIT_HIGH_NIBBLES: value = (16 · high − 120.5) · scale, which takes the low half to be its
/// middle. GAMBIT_LOW_NIBBLES: value = (low − 7.5) · scale. Both add up to c · scale.
///
/// Bytes are the two halves of float16, each its own matrix. GAMBIT_HIGH_BYTES: value = f16(256 · high + 128), which takes
/// the low half to be its middle. GAMBIT_LOW_BYTES: value = f16(256 · high + low) − f16(256 · high + 128), with the high
/// bytes of the other matrix. Both add up to the float16.
typedef enum {
  GAMBIT_F32,
  GAMBIT_F16,
  GAMBIT_BF16,
  GAMBIT_INT8,
  GAMBIT_Q4,
  GAMBIT_HIGH_NIBBLES,
  GAMBIT_LOW_NIBBLES,
  GAMBIT_HIGH_BYTES,
  GAMBIT_LOW_BYTES
} gambit_type;

/// GAMBIT_GROUP elements share a scale; vectors of a value a group are GAMBIT_GROUPS_PADDED(groups) long, and those in the
/// order of codes GAMBIT_ORDERED(groups).
enum { GAMBIT_GROUP = 32 };
#define GAMBIT_GROUPS_PADDED(groups) (((groups) + 7) / 8 * 8)
#define GAMBIT_ORDERED(groups) (((groups) + 3) / 4 * 4 * 36)

/// A matrix stored row after row. Elements need no more alignment than their own size; float16 scales two
/// bytes.
typedef struct {
  const void *elements;
  size_t rows;
  size_t columns;
  gambit_type type;
  /// Of GAMBIT_LOW_BYTES the elements of the matrix of the same weights' high bytes, which are read as well; of others
  /// unused.
  const void *high;
} gambit_matrix;

/// The vector that rows are multiplied with. Float matrices read `x[0 ..< columns]` and nothing else.
///
/// Quantised ones read zeros behind that up to whole groups, and what `quantise` makes of them, of the same instruction
/// set: with codes the product runs in integers, without it is that of x itself.
typedef struct {
  const float *x;
  /// [groups · 32], or NULL
  const int8_t *codes;
  /// [padded groups]: of the codes
  const float *scales;
  /// [padded groups]: Σ x of a group, or Σ code · scale where there are codes
  const float *sums;
  /// GAMBIT_ORDERED(groups): x as rows of 4-bit codes meet it where there are no codes; or NULL
  const float *ordered;
} gambit_input;

/// Rows of a matrix, one an input, and what each is multiplied with. Inputs ascend.
typedef struct {
  gambit_matrix w;
  const uint32_t *inputs;
  const float *values;
  size_t count;
} gambit_listed;

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

/// The two projections of a gated FFN, of one shape and type, a row a channel, and which row of a channel
/// decides whether it is kept: the gate's where `up_decides` is 0 or NULL.
typedef struct {
  gambit_matrix gate;
  gambit_matrix up;
  const uint8_t *up_decides;
  gambit_activation activation;
} gambit_factors;

/// Rows of float32 that an attention head reads, one a position: row p begins at `first + p · stride`.
typedef struct {
  const float *first;
  size_t stride;
} gambit_cached;

/// The kernels of one instruction set.
typedef struct {
  /// y[r] ← Σ_c w[r, c] · x[c] for the rows of a range.
  void (*gemv)(const gambit_matrix *w, const gambit_input *x, float *y, gambit_range rows);

  /// y[c] ← y[c] + Σ_k values[k] · w[inputs[k], c] of each of `count` lists, whose matrices are of one width, for the
  /// columns of a range. The order of additions depends on the lists alone, so that a column's sum is the same however
  /// columns are shared out. Of `upcoming` lists that follow, memory may be asked for the first rows.
  void (*spvmm)(const gambit_listed *lists, size_t count, size_t upcoming, float *y, gambit_range columns);

  /// y[k] ← g[k] · Σ_c w[outputs[k], c] · x[c] for k < count; y may be g. Outputs ascend.
  void (*vmmsp)(
    const gambit_matrix *w, const gambit_input *x, const uint32_t *outputs, const float *g, size_t count, float *y);

  /// Lists the channels of a range with |x| ≥ threshold, thus never one that is not a number. Returns how many.
  size_t (*select)(const float *x, gambit_thresholds thresholds, gambit_kept kept, gambit_range channels);

  /// Finds the deciding factor of each channel of a range, activation(gate row · x) or up row · x, and lists those
  /// with |factor| ≥ threshold, thus never one that is not a number. Returns how many.
  size_t (*decide)(
    const gambit_factors *factors, const gambit_input *x, gambit_thresholds thresholds, gambit_kept kept,
    gambit_range channels);

  /// products[k] ← deciding[k] · the other factor of channel channels[k], for k < count; `products` may be `deciding`.
  void (*complete)(
    const gambit_factors *factors, const gambit_input *x, const uint32_t *channels, const float *deciding,
    size_t count, float *products);

  /// Adds rows 2c and 2c + 1 of w times x, those of gate and up, to sums[2c] and sums[2c + 1] for each listed channel c,
  /// and makes values[k] ← activation(sums[2c]) · sums[2c + 1] of them. Channels ascend.
  void (*refine)(
    const gambit_matrix *w, const gambit_input *x, gambit_activation activation, const uint32_t *channels, size_t count,
    float *sums, float *values);

  /// Rounds each group of x to 8 bits: scale = max|x| / 127, code = x · (127 / max|x|) to the nearest, halves to
  /// even, and sum = Σ code · scale. Where 127 / max|x| is infinite codes are 0. A group that holds a value that is
  /// not finite has codes of 0 and a scale that is not a number. The same bits on every processor. Without `codes`
  /// sums are those of x itself, and `ordered` is made.
  void (*quantise)(const float *x, size_t groups, int8_t *codes, float *scales, float *sums, float *ordered);

  /// One attention head: out ← Σ_p softmax(scale · keys q)_p · values_p, rows of `width`. `scores` has room for
  /// every position and holds the softmax afterwards. Of no positions the sum is 0.
  void (*attend)(
    const float *q, gambit_cached keys, gambit_cached values, size_t positions, size_t width, float scale,
    float *scores, float *out);

  /// Σ of all bytes: reads memory as fast as this processor can, to see how fast that is.
  uint64_t (*sum_bytes)(const uint8_t *bytes, size_t count);
} gambit_kernels;

/// Lists the channels of a range with x ≥ least, thus never one that is not a number, each with the value 1. Returns how
/// many. The values themselves are compared, not their magnitudes.
size_t gambit_select_from(const float *x, float least, gambit_kept kept, gambit_range channels);

/// The greatest number of a range, whatever else is in it; minus infinity where there is none.
float gambit_greatest(const float *x, gambit_range range);

/// Drops from a list what is below its channel's threshold or not a number, and moves the rest together. Returns
/// how many are left.
size_t gambit_prune(gambit_kept list, size_t count, gambit_thresholds thresholds);

/// How many channels are listed for half and for all of their bits.
typedef struct {
  size_t half;
  size_t full;
} gambit_graded;

/// Lists the channels of a range by |product| of activation(sums[2c]) · sums[2c + 1], each sum with its offset added where
/// there are offsets, which are not NULL: with |product| ≥ its threshold of `full` in the full list, others with |product| ≥ that of `half` in the half list, thus never one that is not a number.
gambit_graded gambit_grade(
  const float *sums, const float *offsets, gambit_activation activation, gambit_thresholds half, gambit_thresholds full,
  gambit_kept half_list, gambit_kept full_list, gambit_range channels);

typedef enum { GAMBIT_SCALAR, GAMBIT_AVX2, GAMBIT_AVX512, GAMBIT_NEON } gambit_instruction_set;

/// The kernels of an instruction set; NULL where this processor, or this program, lacks it.
const gambit_kernels *gambit_kernels_for(gambit_instruction_set set);
