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
INLINE vector fused(vector a, vector b, vector sum) { return vfmaq_f32(sum, a, b); }
INLINE float total(vector x) { return vaddvq_f32(x); }

INLINE vector from_f16(uint16x4_t halves) { return vcvt_f32_f16(vreinterpret_f16_u16(halves)); }
INLINE vector from_bf16(uint16x4_t halves) { return vreinterpretq_f32_u32(vshll_n_u16(halves, 16)); }

INLINE vector load_f32(const float *p) { return vld1q_f32(p); }
INLINE vector load_f16(const uint16_t *p) { return from_f16(vld1_u16(p)); }
INLINE vector load_bf16(const uint16_t *p) { return from_bf16(vld1_u16(p)); }
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
