/* Attention inside each sequence of a packed row, for CPUs with AVX-512.

   softmax(scale * Q K^T) V of one sequence and one head at a time, eight queries against all keys, and
   the gradients of Q, K and V, thirty-two queries at a time, whose scores are computed anew. The scores
   stay in the cache of the core, products take two numbers at once, and the exponential is a
   polynomial of degree 4 (relative error below 3e-6; bf16 rounds at 4e-3).

   On CPUs that also multiply tiles (AMX), these compute the products: sixteen queries at a time.

   The source is in five files, in this order: halves.c (bf16 numbers), words.c (how they lie in memory),
   products.c, tiles.c and attention.c.

   The words of a token are its planes: the numbers k and k + half. Rotary positions turn each plane. */

#include <stdlib.h>
#include <string.h>

#define MOST_QUERIES 16
#define BLOCK 32 /* queries whose gradients are added to the keys at once */
#define STEP 32 /* keys of one round: two vectors */
#define TILE 16 /* rows of a tile, and words in each */
#define LOWEST -1e30f
#define LOG2_E 1.44269504f
#if HAS_BF16 && defined(__linux__) && ((defined(__clang__) && __clang_major__ >= 12) || (!defined(__clang__) && __GNUC__ >= 11))
#define HAS_TILES 1
#define UNITS VECTOR_UNITS ",amx-tile,amx-bf16"
#else
#define HAS_TILES 0
#define UNITS VECTOR_UNITS
#endif
#define INLINE static inline __attribute__((always_inline, target(UNITS)))

typedef struct {
  const uint16_t *query, *key, *value;         /* bf16: tokens x heads x width */
  const float *cosine, *sine;                  /* tokens x half: turns of rotary positions, or NULL */
  uint16_t *out;                               /* bf16: tokens x heads x width, contiguous */
  const uint16_t *gradient;                    /* of `out`, in the same order */
  uint16_t *of_query, *of_key, *of_value;      /* gradients, in the same order */
  const int64_t *ends;                         /* sequences + 1 numbers: where each begins, and the end */
  int64_t heads, width;
  int64_t query_row, key_row, value_row, turn_row; /* numbers from one token to the next */
  float scale;
} Rows;

/* One sequence and head. Rows of `plane` words or floats, or of `row` bf16 numbers, have room for `padded`
   tokens and are an odd number of cache lines, so that rows do not compete for the same lines. */
typedef struct {
  int64_t start, length, padded, plane, row, column;
} Place;

/* Room for one sequence and head. "By plane": half x plane words, one plane of all tokens side by side.
   "By pair": padded / 2 x vectors x 16 words, one number of two tokens each. */
typedef struct {
  uint32_t *keys, *values;                  /* by plane */
  uint32_t *paired_keys, *paired_values;    /* by pair */
  uint32_t *queries, *gradients;            /* BLOCK x half words */
  float *scores, *products;                 /* MOST_QUERIES x plane */
  uint16_t *weights, *slopes;               /* BLOCK x row, bf16 */
  uint32_t *query_pairs, *gradient_pairs;   /* one number of two queries each: BLOCK / 2 x width words; for tiles, width x BLOCK / 2 */
  uint32_t *pairs;                          /* tiles: BLOCK / 2 x plane words, one weight of two queries each */
  float *of_keys, *of_values;               /* vectors * 16 x plane */
} Room;

INLINE __m512i load(const uint32_t *words) { return _mm512_loadu_si512(words); }
INLINE __m512i repeat(uint32_t word) { return _mm512_set1_epi32((int)word); }

/* 2^x for x <= 0 */
INLINE __m512 power_of_two(__m512 x) {
  __m512 rest = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); /* 0 <= rest < 1 */
  __m512 y = _mm512_set1_ps(0.0135557573f);
  y = _mm512_fmadd_ps(y, rest, _mm512_set1_ps(0.0520323344f));
  y = _mm512_fmadd_ps(y, rest, _mm512_set1_ps(0.241379763f));
  y = _mm512_fmadd_ps(y, rest, _mm512_set1_ps(0.693032121f));
  y = _mm512_fmadd_ps(y, rest, _mm512_set1_ps(1.0000026f));
  return _mm512_scalef_ps(y, x); /* it rounds x down by itself */
}

INLINE __m512i round_words(__m512 low, __m512 high) {
  __m512i lower = _mm512_cvtepu16_epi32(to_halves(low));
  __m512i upper = _mm512_cvtepu16_epi32(to_halves(high));
  return _mm512_or_si512(lower, _mm512_slli_epi32(upper, 16));
}

/* The words of one token, turned by its position if there are turns. */
INLINE void read_words(const uint16_t *numbers, const Rows *rows, int64_t token, int is_turned, const int HALF, uint32_t *words) {
  for (int k = 0; k < HALF; k += LANES) {
    __mmask16 mask = first(HALF - k);
    __m512i x = widen(numbers + k, mask), y = widen(numbers + HALF + k, mask), both;
    if (is_turned) {
      __m512 c = _mm512_maskz_loadu_ps(mask, rows->cosine + token * rows->turn_row + k);
      __m512 s = _mm512_maskz_loadu_ps(mask, rows->sine + token * rows->turn_row + k);
      both = round_words(_mm512_fmsub_ps(to_float(x), c, _mm512_mul_ps(to_float(y), s)),
                         _mm512_fmadd_ps(to_float(y), c, _mm512_mul_ps(to_float(x), s)));
    } else both = _mm512_or_si512(x, _mm512_slli_epi32(y, 16));
    _mm512_mask_storeu_epi32(words + k, mask, both);
  }
}

/* Write the gradient of one token, turned back. */
INLINE void write_gradient(const float *numbers, const Rows *rows, int64_t token, int is_turned, const int HALF, uint16_t *out) {
  for (int k = 0; k < HALF; k += LANES) {
    __mmask16 mask = first(HALF - k);
    __m512 x = _mm512_maskz_loadu_ps(mask, numbers + k), y = _mm512_maskz_loadu_ps(mask, numbers + HALF + k);
    if (is_turned) {
      __m512 c = _mm512_maskz_loadu_ps(mask, rows->cosine + token * rows->turn_row + k);
      __m512 s = _mm512_maskz_loadu_ps(mask, rows->sine + token * rows->turn_row + k), before = x;
      x = _mm512_fmadd_ps(x, c, _mm512_mul_ps(y, s));
      y = _mm512_fmsub_ps(y, c, _mm512_mul_ps(before, s));
    }
    store(x, out + k, mask);
    store(y, out + HALF + k, mask);
  }
}

/* Words of up to `count` tokens one after the other; returns how many there are, the others are zero. */
INLINE int read_block(const uint16_t *numbers, int64_t row, const Rows *rows, const Place *at, int64_t i, int count, int is_turned, const int HALF, uint32_t *words) {
  int there = (int)(at->length - i < count ? at->length - i : count);
  if (there < 0) there = 0;
  if (there < count) memset(words, 0, count * HALF * sizeof(uint32_t));
  for (int n = 0; n < there; n++)
    read_words(numbers + (at->start + i + n) * row + at->column, rows, at->start + i + n, is_turned, HALF, words + n * HALF);
  return there;
}

/* Rows become columns: 16 x 16 words. */
INLINE void transpose(__m512i *rows) {
  __m512i half[16];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    half[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    half[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4)
#pragma GCC unroll 2
    for (int k = 0; k < 2; k++) {
      rows[i + 2 * k] = _mm512_unpacklo_epi64(half[i + k], half[i + k + 2]);
      rows[i + 2 * k + 1] = _mm512_unpackhi_epi64(half[i + k], half[i + k + 2]);
    }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    half[i] = _mm512_shuffle_i32x4(rows[i], rows[i + 4], 0x88);
    half[i + 4] = _mm512_shuffle_i32x4(rows[i], rows[i + 4], 0xdd);
    half[i + 8] = _mm512_shuffle_i32x4(rows[i + 8], rows[i + 12], 0x88);
    half[i + 12] = _mm512_shuffle_i32x4(rows[i + 8], rows[i + 12], 0xdd);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    rows[i] = _mm512_shuffle_i32x4(half[i], half[i + 8], 0x88);
    rows[i + 8] = _mm512_shuffle_i32x4(half[i], half[i + 8], 0xdd);
    rows[i + 4] = _mm512_shuffle_i32x4(half[i + 4], half[i + 12], 0x88);
    rows[i + 12] = _mm512_shuffle_i32x4(half[i + 4], half[i + 12], 0xdd);
  }
}

/* Words of all tokens by plane, padded with zeros, and, if wanted, the same by pair: the first half of the
   numbers is in the lower halves of the words. */
INLINE void gather_planes(const uint16_t *numbers, int64_t row, const Rows *rows, const Place *at, int is_turned, const int HALF, uint32_t *planes, uint32_t *pairs) {
  const int ROOM = (2 * HALF + LANES - 1) / LANES * LANES;
  uint32_t words[TILE * HALF];
  for (int64_t j = 0; j < at->padded; j += TILE) {
    read_block(numbers, row, rows, at, j, TILE, is_turned, HALF, words);
    for (int k = 0; k < HALF; k += TILE) {
      __mmask16 inside = first(HALF - k);
      __m512i block[TILE];
#pragma GCC unroll 16
      for (int i = 0; i < TILE; i++) block[i] = _mm512_maskz_loadu_epi32(inside, words + i * HALF + k);
      if (pairs)
        for (int i = 0; i < TILE; i += 2) {
          uint32_t *both = pairs + (j + i) / 2 * ROOM + k;
          _mm512_mask_storeu_epi32(both, inside, _mm512_mask_blend_epi16(0xaaaaaaaa, block[i], _mm512_slli_epi32(block[i + 1], 16)));
          _mm512_mask_storeu_epi32(both + HALF, inside, _mm512_mask_blend_epi16(0xaaaaaaaa, _mm512_srli_epi32(block[i], 16), block[i + 1]));
        }
      transpose(block);
#pragma GCC unroll 16
      for (int i = 0; i < TILE; i++)
        if (k + i < HALF) _mm512_storeu_si512(planes + (k + i) * at->plane + j, block[i]);
    }
  }
}

/* Numbers of all tokens by pair, padded with zeros. */
INLINE void gather_pairs(const uint16_t *numbers, int64_t row, const Place *at, const int WIDTH, uint32_t *pairs) {
  const int VECTORS = (WIDTH + LANES - 1) / LANES;
  for (int64_t j = 0; j < at->padded; j += 2)
    for (int d = 0; d < VECTORS; d++) {
      const uint16_t *token = numbers + (at->start + j) * row + at->column + d * LANES;
      __mmask16 mask = first(WIDTH - d * LANES);
      __m512i one = j < at->length ? widen(token, mask) : _mm512_setzero_si512();
      __m512i two = j + 1 < at->length ? widen(token + row, mask) : _mm512_setzero_si512();
      _mm512_storeu_si512(pairs + (j / 2 * VECTORS + d) * LANES, _mm512_or_si512(one, _mm512_slli_epi32(two, 16)));
    }
}

/* Words of two queries each, of the words of BLOCK queries: number d of pair n. */
INLINE void pair_block(const uint32_t *words, const int HALF, const int IS_TILED, uint32_t *pairs) {
  for (int n = 0; n < BLOCK / 2; n++)
    for (int k = 0; k < HALF; k++) {
      uint32_t one = words[2 * n * HALF + k], two = words[(2 * n + 1) * HALF + k];
      uint32_t lower = (one & 0xffff) | two << 16, upper = one >> 16 | (two & 0xffff0000);
      pairs[IS_TILED ? k * TILE + n : n * 2 * HALF + k] = lower;
      pairs[IS_TILED ? (HALF + k) * TILE + n : n * 2 * HALF + HALF + k] = upper;
    }
}
