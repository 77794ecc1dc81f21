#pragma once
#include <arm_neon.h>
#include <stdint.h>

/* What quantised rows need of a processor with NEON. Included after a vector header. */

typedef float32x4x2_t eight;

INLINE eight eight_of(float x) { return (eight){{vdupq_n_f32(x), vdupq_n_f32(x)}}; }
INLINE eight eight_zeros(void) { return eight_of(0); }
INLINE eight load_eight(const float *p) { return (eight){{vld1q_f32(p), vld1q_f32(p + 4)}}; }
INLINE void store_eight(float *p, eight x) {
  vst1q_f32(p, x.val[0]);
  vst1q_f32(p + 4, x.val[1]);
}
INLINE eight added(eight a, eight b) {
  return (eight){{vaddq_f32(a.val[0], b.val[0]), vaddq_f32(a.val[1], b.val[1])}};
}
INLINE eight multiplied(eight a, eight b) {
  return (eight){{vmulq_f32(a.val[0], b.val[0]), vmulq_f32(a.val[1], b.val[1])}};
}
INLINE eight fused_eight(eight a, eight b, eight sum) {
  return (eight){{vfmaq_f32(sum.val[0], a.val[0], b.val[0]), vfmaq_f32(sum.val[1], a.val[1], b.val[1])}};
}
INLINE float total_of_eight(eight x) { return vaddvq_f32(vaddq_f32(x.val[0], x.val[1])); }

INLINE eight floats_of_halves(uint16x8_t halves) {
  return (eight){
    {vcvt_f32_f16(vreinterpret_f16_u16(vget_low_u16(halves))),
     vcvt_f32_f16(vreinterpret_f16_u16(vget_high_u16(halves)))}};
}
INLINE eight eight_halves(const uint16_t *p) { return floats_of_halves(vld1q_u16(p)); }

/// The `count` ≤ 8 halves that end at `end`, and zeros. Sixteen bytes before `end` are readable.
INLINE eight halves_before(const uint16_t *end, size_t count) {
  static const uint8_t order[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  // Of an index beyond the table a lookup makes zero.
  const uint8x16_t shifted = vaddq_u8(vld1q_u8(order), vdupq_n_u8((uint8_t)(2 * (8 - count))));
  return floats_of_halves(vreinterpretq_u16_u8(vqtbl1q_u8(vreinterpretq_u8_u16(vld1q_u16(end - 8)), shifted)));
}

/// Sums of four products each; two of them stay below 2¹⁵.
INLINE eight byte_products(int8x16_t w, int8x16_t w_end, const int8_t *x) {
  const int8x16_t start = vld1q_s8(x), end = vld1q_s8(x + 16);
  const int16x8_t a = vmlal_s8(vmull_s8(vget_low_s8(w), vget_low_s8(start)), vget_high_s8(w), vget_high_s8(start));
  const int16x8_t b =
    vmlal_s8(vmull_s8(vget_low_s8(w_end), vget_low_s8(end)), vget_high_s8(w_end), vget_high_s8(end));
  return (eight){{vcvtq_f32_s32(vpaddlq_s16(a)), vcvtq_f32_s32(vpaddlq_s16(b))}};
}

INLINE int8x16_t nibble_half(const char *codes, int high) {
  const uint8x16_t bytes = vld1q_u8((const uint8_t *)codes);
  return vreinterpretq_s8_u8(high ? vshrq_n_u8(bytes, 4) : vandq_u8(bytes, vdupq_n_u8(15)));
}

/// Σ code · x of a group of rounded x, in eight parts.
INLINE eight int8_products(const char *codes, const int8_t *x) {
  return byte_products(vld1q_s8((const int8_t *)codes), vld1q_s8((const int8_t *)codes + 16), x);
}
INLINE eight nibble_products(const char *codes, const int8_t *x) {
  return byte_products(nibble_half(codes, 0), nibble_half(codes, 1), x);
}

INLINE eight floats_of_bytes(int8x8_t bytes) {
  const int16x8_t wide = vmovl_s8(bytes);
  return (eight){
    {vcvtq_f32_s32(vmovl_s16(vget_low_s16(wide))), vcvtq_f32_s32(vmovl_s16(vget_high_s16(wide)))}};
}

/// Codes 8 i ..< 8 i + 8 of a group.
INLINE eight int8_values(const char *codes, int i) { return floats_of_bytes(vld1_s8((const int8_t *)codes + 8 * i)); }

/// Rounds a group of 32 floats to codes, and returns their sum. `*scale` becomes what a code is worth.
INLINE int rounded_group(const float *x, int8_t *codes, float *scale) {
  uint32x4_t largest = vdupq_n_u32(0);
  // Magnitudes of floats order like their bits, and those that are not numbers come last.
  for (int i = 0; i < 8; i++)
    largest = vmaxq_u32(largest, vandq_u32(vreinterpretq_u32_f32(vld1q_f32(x + 4 * i)), vdupq_n_u32(0x7fffffff)));
  const uint32_t top = vmaxvq_u32(largest);
  const int finite = top < 0x7f800000;
  const float most = vgetq_lane_f32(vreinterpretq_f32_u32(vdupq_n_u32(top)), 0), inverse = 127 / most;
  *scale = finite ? most / 127 : __builtin_nanf("");

  const float factor = finite && inverse < __builtin_inff() ? inverse : 0;
  const int32x4_t keep = vdupq_n_s32(finite ? -1 : 0);
  int sum = 0;
  for (int i = 0; i < 4; i++) {
    const int32x4_t a = vandq_s32(vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(x + 8 * i), factor)), keep);
    const int32x4_t b = vandq_s32(vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(x + 8 * i + 4), factor)), keep);
    const int8x8_t bytes = vmovn_s16(vcombine_s16(vmovn_s32(a), vmovn_s32(b)));
    vst1_s8(codes + 8 * i, bytes);
    sum += vaddlv_s8(bytes);
  }
  return sum;
}

// Reading at full speed.

typedef uint64x2x2_t byte_sums;
INLINE byte_sums no_bytes(void) { return (byte_sums){{vdupq_n_u64(0), vdupq_n_u64(0)}}; }
INLINE byte_sums added_bytes(byte_sums sums, const uint8_t *p) {
  for (int i = 0; i < 2; i++)
    sums.val[i] = vpadalq_u32(sums.val[i], vpaddlq_u16(vpaddlq_u8(vld1q_u8(p + 16 * i))));
  return sums;
}
INLINE uint64_t total_bytes(byte_sums sums) { return vaddvq_u64(vaddq_u64(sums.val[0], sums.val[1])); }
