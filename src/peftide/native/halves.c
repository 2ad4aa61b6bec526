/* Vectors of bf16 numbers for CPUs with AVX-512: rounding to them, and their products.

   A "word" is two bf16 numbers side by side, as the instruction vdpbf16ps multiplies them. CPUs without AVX512-BF16
   compute the same, up to rounding, from fp32 numbers: a bf16 number is the upper half of one. HAS_BF16 comes from the
   builder. */

#include <immintrin.h>
#include <stdint.h>

#define LANES 16
#if HAS_BF16
#define VECTOR_UNITS "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16"
#else
#define VECTOR_UNITS "avx512f,avx512bw,avx512vl,avx512dq"
#endif
#define ON_VECTORS static inline __attribute__((always_inline, target(VECTOR_UNITS)))

ON_VECTORS __mmask16 first(int64_t count) { return count >= LANES ? 0xffff : count <= 0 ? 0 : (__mmask16)((1 << count) - 1); }
ON_VECTORS __m512i widen(const uint16_t *numbers, __mmask16 mask) { return _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, numbers)); }
ON_VECTORS __m512 to_float(__m512i halves) { return _mm512_castsi512_ps(_mm512_slli_epi32(halves, 16)); }

#if HAS_BF16

ON_VECTORS __m256i to_halves(__m512 numbers) { return (__m256i)_mm512_cvtneps_pbh(numbers); }
ON_VECTORS __m512 add_products(__m512 sum, __m512i words, __m512i others) { return _mm512_dpbf16_ps(sum, (__m512bh)words, (__m512bh)others); }

#else

/* To the nearest, halfway to the even one; NaN stays NaN. */
ON_VECTORS __m256i to_halves(__m512 numbers) {
  __m512i bits = _mm512_castps_si512(numbers);
  __m512i is_odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  __m512i rounded = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), is_odd);
  __mmask16 is_nan = _mm512_cmp_ps_mask(numbers, numbers, _CMP_UNORD_Q);
  return _mm512_cvtepi32_epi16(_mm512_srli_epi32(_mm512_mask_mov_epi32(rounded, is_nan, _mm512_set1_epi32(0x7fc00000)), 16));
}

ON_VECTORS __m512 upper(__m512i words) { return _mm512_castsi512_ps(_mm512_and_si512(words, _mm512_set1_epi32((int)0xffff0000))); }
ON_VECTORS __m512 add_products(__m512 sum, __m512i words, __m512i others) {
  return _mm512_fmadd_ps(upper(words), upper(others), _mm512_fmadd_ps(to_float(words), to_float(others), sum));
}

#endif

ON_VECTORS void store(__m512 numbers, uint16_t *out, __mmask16 mask) { _mm256_mask_storeu_epi16(out, mask, to_halves(numbers)); }
