#pragma once
#include <arm_neon.h>
#include <stdint.h>
#include <string.h>

/* Four floats a vector: NEON, which every 64-bit ARM processor has. */

#define TARGET
#define INLINE static inline __attribute__((always_inline))

typedef float32x4_t vector;
enum { LANES = 4 };

INLINE vector zero(void) { return vdupq_n_f32(0); }
INLINE vector spread(float x) { return vdupq_n_f32(x); }
INLINE vector plus(vector a, vector b) { return vaddq_f32(a, b); }
INLINE vector minus(vector a, vector b) { return vsubq_f32(a, b); }
INLINE vector times(vector a, vector b) { return vmulq_f32(a, b); }
INLINE vector fused(vector a, vector b, vector sum) { return vfmaq_f32(sum, a, b); }
INLINE float total(vector x) { return vaddvq_f32(x); }

INLINE vector from_f16(uint16x4_t halves) { return vcvt_f32_f16(vreinterpret_f16_u16(halves)); }
INLINE vector from_bf16(uint16x4_t halves) { return vreinterpretq_f32_u32(vshll_n_u16(halves, 16)); }

INLINE vector load_f32(const float *p) { return vld1q_f32(p); }
INLINE vector load_f16(const uint16_t *p) { return from_f16(vld1_u16(p)); }
INLINE vector load_bf16(const uint16_t *p) { return from_bf16(vld1_u16(p)); }

INLINE uint8x8_t load_bytes(const char *p) {
  uint8_t bytes[8] = {0};
  memcpy(bytes, p, LANES);
  return vld1_u8(bytes);
}
/// Halves of which there are both bytes, and those of which there is the high one, with the middle of the low ones.
INLINE vector load_both_bytes(const char *high, const char *low) {
  return from_f16(vreinterpret_u16_u8(vzip1_u8(load_bytes(low), load_bytes(high))));
}
INLINE vector load_high_bytes(const char *p) {
  return from_f16(vreinterpret_u16_u8(vzip1_u8(vdup_n_u8(128), load_bytes(p))));
}
INLINE void store(float *p, vector x) { vst1q_f32(p, x); }

INLINE uint16x4_t some_halves(const uint16_t *p, size_t count) {
  uint16_t halves[LANES] = {0};
  memcpy(halves, p, count * sizeof *p);
  return vld1_u16(halves);
}
INLINE vector load_some_f32(const float *p, size_t count) {
  float lanes[LANES] = {0};
  memcpy(lanes, p, count * sizeof *p);
  return vld1q_f32(lanes);
}
INLINE vector load_some_f16(const uint16_t *p, size_t count) { return from_f16(some_halves(p, count)); }
INLINE vector load_some_bf16(const uint16_t *p, size_t count) { return from_bf16(some_halves(p, count)); }
INLINE void store_some(float *p, vector x, size_t count) {
  float lanes[LANES];
  vst1q_f32(lanes, x);
  memcpy(p, lanes, count * sizeof *p);
}

/// Codes of 8 bits as floats.
INLINE vector load_int8(const char *p) {
  int8_t codes[8] = {0};
  memcpy(codes, p, LANES);
  return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vld1_s8(codes)))));
}

// What nibbles.h needs: a register of their codes, and a value of each group in the four lanes that hold its codes.

typedef uint32x4_t words;

INLINE words load_words(const char *p) { return vreinterpretq_u32_u8(vld1q_u8((const uint8_t *)p)); }
INLINE words load_some_words(const char *p, size_t groups) {
  (void)groups;  // None are left: one fills a register.
  return load_words(p);
}
/// Of each lane the upper sixteen bits, where the lower are.
INLINE words upper_halves(words w) { return vshrq_n_u32(w, 16); }
/// The nibble at a place, 0 to 3, of each lane's lower half: code · 16^place.
INLINE vector nibble(words w, int place) { return vcvtq_f32_u32(vandq_u32(w, vdupq_n_u32(15u << 4 * place))); }

INLINE vector load_fours(const uint16_t *p) { return vcvt_f32_f16(vreinterpret_f16_u16(vdup_n_u16(*p))); }
INLINE vector load_some_fours(const uint16_t *p, size_t groups) {
  (void)groups;
  return load_fours(p);
}

/// Four floats of each group, the first group's at p.
INLINE vector gather_fours(const float *p) { return vld1q_f32(p); }
INLINE void scatter_fours(float *p, vector x) { vst1q_f32(p, x); }

/// Swaps which vector of four with which of its lane's four floats.
INLINE void transpose_fours(vector *x) {
  const float32x4x2_t a = vtrnq_f32(x[0], x[1]), b = vtrnq_f32(x[2], x[3]);
  x[0] = vcombine_f32(vget_low_f32(a.val[0]), vget_low_f32(b.val[0]));
  x[1] = vcombine_f32(vget_low_f32(a.val[1]), vget_low_f32(b.val[1]));
  x[2] = vcombine_f32(vget_high_f32(a.val[0]), vget_high_f32(b.val[0]));
  x[3] = vcombine_f32(vget_high_f32(a.val[1]), vget_high_f32(b.val[1]));
}
