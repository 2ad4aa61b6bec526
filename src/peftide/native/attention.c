/* Attention inside each sequence of a packed row, for CPUs that multiply bf16 pairs (AVX512-BF16).

   softmax(scale * Q K^T) V of one sequence and one head at a time, eight queries against all keys, and
   the gradients of Q, K and V, thirty-two queries at a time, whose scores are computed anew. The scores
   stay in the cache of the core, products take two numbers at once, and the exponential is a
   polynomial of degree 4 (relative error below 3e-6; bf16 rounds at 4e-3).

   A "word" is two bf16 numbers side by side, as the instruction vdpbf16ps multiplies them. The words of
   a token are its planes: the numbers k and k + half. Rotary positions turn each plane. */

#include <immintrin.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define QUERIES 8
#define BLOCK 32 /* queries whose gradients are added to the keys at once */
#define LANES 16
#define STEP 32 /* keys of one round: two vectors */
#define LOWEST -1e30f
#define LOG2_E 1.44269504f
#define INLINE static inline __attribute__((always_inline, target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))

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

/* One sequence and head. */
typedef struct {
  int64_t start, length, padded, column;
} Place;

/* Room for one sequence and head. "By plane": half x padded words, one plane of all tokens side by side.
   "By pair": padded / 2 x vectors x 16 words, one number of two tokens each. */
typedef struct {
  uint32_t *keys, *values;                  /* by plane */
  uint32_t *paired_keys, *paired_values;    /* by pair */
  uint32_t *queries, *gradients;            /* BLOCK x half words */
  float *scores, *products;                 /* BLOCK x padded */
  uint16_t *weights, *slopes;               /* BLOCK x padded, bf16 */
  uint32_t *query_pairs, *gradient_pairs;   /* BLOCK / 2 x width words: one number of two queries each */
  float *of_keys, *of_values;               /* width x padded */
} Room;

INLINE __m512bh as_pairs(__m512i words) { return (__m512bh)words; }
INLINE __m512bh load(const uint32_t *words) { return as_pairs(_mm512_loadu_si512(words)); }
INLINE __m512bh repeat(uint32_t word) { return as_pairs(_mm512_set1_epi32((int)word)); }
INLINE __mmask16 first(int64_t count) { return count >= LANES ? 0xffff : count <= 0 ? 0 : (__mmask16)((1 << count) - 1); }
INLINE __m512i widen(const uint16_t *numbers, __mmask16 mask) { return _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, numbers)); }
INLINE __m512 to_float(__m512i halves) { return _mm512_castsi512_ps(_mm512_slli_epi32(halves, 16)); }

INLINE void store(__m512 numbers, uint16_t *out, __mmask16 mask) {
  _mm256_mask_storeu_epi16(out, mask, (__m256i)_mm512_cvtneps_pbh(numbers));
}

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
  __m512i lower = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(low));
  __m512i upper = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(high));
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

/* Products of eight tokens with all keys, and the largest of each lane; those of the padding are LOWEST. */
INLINE void multiply(const uint32_t *keys, const uint32_t *queries, float *scores, const Place *at, const int HALF, __m512 *top) {
  for (int i = 0; i < QUERIES; i++) top[i] = _mm512_set1_ps(LOWEST);
  for (int64_t j = 0; j < at->padded; j += STEP) {
    __m512 left[QUERIES], right[QUERIES];
#pragma GCC unroll 8
    for (int i = 0; i < QUERIES; i++) left[i] = right[i] = _mm512_setzero_ps();
#pragma GCC unroll 4
    for (int k = 0; k < HALF; k++) {
      __m512bh key = load(keys + k * at->padded + j), next = load(keys + k * at->padded + j + LANES);
#pragma GCC unroll 8
      for (int i = 0; i < QUERIES; i++) {
        __m512bh query = repeat(queries[i * HALF + k]);
        left[i] = _mm512_dpbf16_ps(left[i], key, query);
        right[i] = _mm512_dpbf16_ps(right[i], next, query);
      }
    }
    __mmask16 inside = first(at->length - j), inside_next = first(at->length - j - LANES);
#pragma GCC unroll 8
    for (int i = 0; i < QUERIES; i++) {
      left[i] = _mm512_mask_blend_ps(inside, _mm512_set1_ps(LOWEST), left[i]);
      right[i] = _mm512_mask_blend_ps(inside_next, _mm512_set1_ps(LOWEST), right[i]);
      top[i] = _mm512_max_ps(top[i], _mm512_max_ps(left[i], right[i]));
      _mm512_storeu_ps(scores + i * at->padded + j, left[i]);
      _mm512_storeu_ps(scores + i * at->padded + j + LANES, right[i]);
    }
  }
}

/* Exponentials of the scores of one query, rounded to bf16 and, if wanted, in place; returns one over their sum. */
INLINE float exponentials(float *scores, uint16_t *weights, int64_t padded, __m512 top, float scale) {
  __m512 factor = _mm512_set1_ps(scale), shift = _mm512_set1_ps(-_mm512_reduce_max_ps(top) * scale);
  __m512 sum = _mm512_setzero_ps(), sum_next = sum;
  for (int64_t j = 0; j < padded; j += STEP) {
    __m512 left = power_of_two(_mm512_fmadd_ps(_mm512_loadu_ps(scores + j), factor, shift));
    __m512 right = power_of_two(_mm512_fmadd_ps(_mm512_loadu_ps(scores + j + LANES), factor, shift));
    sum = _mm512_add_ps(sum, left);
    sum_next = _mm512_add_ps(sum_next, right);
    if (weights) _mm512_storeu_si512(weights + j, (__m512i)_mm512_cvtne2ps_pbh(right, left));
    else {
      _mm512_storeu_ps(scores + j, left);
      _mm512_storeu_ps(scores + j + LANES, right);
    }
  }
  return 1.0f / _mm512_reduce_add_ps(_mm512_add_ps(sum, sum_next));
}

/* Two vectors of 16 numbers of all tokens, weighted for eight queries. A single vector is summed in two parts. */
INLINE void mix(const uint32_t *pairs, const uint16_t *weights, int64_t padded, int d, const int VECTORS, __m512 *left, __m512 *right) {
  const int BOTH = VECTORS > 1;
#pragma GCC unroll 8
  for (int i = 0; i < QUERIES; i++) left[i] = right[i] = _mm512_setzero_ps();
  for (int64_t j = 0; j < padded / 2; j += BOTH ? 1 : 2) {
    const uint32_t *numbers = pairs + (j * VECTORS + d) * LANES;
    __m512bh one = load(numbers), next = load(numbers + LANES); /* of the same two tokens, or of the next two */
#pragma GCC unroll 8
    for (int i = 0; i < QUERIES; i++) {
      const uint32_t *words = (const uint32_t *)(weights + i * padded) + j;
      left[i] = _mm512_dpbf16_ps(left[i], one, repeat(words[0]));
      right[i] = _mm512_dpbf16_ps(right[i], next, repeat(words[BOTH ? 0 : 1]));
    }
  }
  if (!BOTH)
    for (int i = 0; i < QUERIES; i++) left[i] = _mm512_add_ps(left[i], right[i]);
}

/* Numbers of all tokens, weighted for eight queries: QUERIES x vectors x 16. */
INLINE void mix_all(const uint32_t *pairs, const uint16_t *weights, int64_t padded, const int VECTORS, float *mixed) {
  for (int d = 0; d < VECTORS; d += 2) {
    __m512 left[QUERIES], right[QUERIES];
    mix(pairs, weights, padded, d, VECTORS, left, right);
    for (int i = 0; i < QUERIES; i++) {
      _mm512_storeu_ps(mixed + (i * VECTORS + d) * LANES, left[i]);
      if (VECTORS > 1) _mm512_storeu_ps(mixed + (i * VECTORS + d + 1) * LANES, right[i]);
    }
  }
}

/* Words of all tokens by plane, padded with zeros. */
INLINE void gather_planes(const uint16_t *numbers, int64_t row, const Rows *rows, const Place *at, int is_turned, const int HALF, uint32_t *planes) {
  uint32_t words[HALF];
  for (int64_t j = 0; j < at->padded; j++) {
    if (j < at->length) read_words(numbers + (at->start + j) * row + at->column, rows, at->start + j, is_turned, HALF, words);
    else memset(words, 0, sizeof words);
    for (int k = 0; k < HALF; k++) planes[k * at->padded + j] = words[k];
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

/* The same of words by plane: the first half of the numbers is in the lower halves of the words. */
INLINE void pair_planes(const uint32_t *planes, const Place *at, const int HALF, uint32_t *pairs) {
  const int ROOM = (2 * HALF + LANES - 1) / LANES * LANES;
  memset(pairs, 0, at->padded / 2 * ROOM * sizeof(uint32_t));
  for (int k = 0; k < HALF; k++)
    for (int64_t j = 0; j < at->padded; j += 2) {
      uint32_t one = planes[k * at->padded + j], two = planes[k * at->padded + j + 1];
      pairs[j / 2 * ROOM + k] = (one & 0xffff) | two << 16;
      pairs[j / 2 * ROOM + HALF + k] = one >> 16 | (two & 0xffff0000);
    }
}

/* Words of up to `count` tokens one after the other; returns how many there are, the others are zero. */
INLINE int read_block(const uint16_t *numbers, int64_t row, const Rows *rows, const Place *at, int64_t i, int count, int is_turned, const int HALF, uint32_t *words) {
  int there = (int)(at->length - i < count ? at->length - i : count);
  if (there < count) memset(words, 0, count * HALF * sizeof(uint32_t));
  for (int n = 0; n < there; n++)
    read_words(numbers + (at->start + i + n) * row + at->column, rows, at->start + i + n, is_turned, HALF, words + n * HALF);
  return there;
}

INLINE void attend_one(const Rows *rows, const Room *room, const Place *at, const int WIDTH) {
  const int HALF = WIDTH / 2, VECTORS = (WIDTH + LANES - 1) / LANES, is_turned = rows->cosine != NULL;
  int64_t out_row = rows->heads * WIDTH;
  float mixed[QUERIES * VECTORS * LANES], one_over[QUERIES];
  __m512 top[QUERIES];
  gather_planes(rows->key, rows->key_row, rows, at, is_turned, HALF, room->keys);
  gather_pairs(rows->value, rows->value_row, at, WIDTH, room->paired_values);
  for (int64_t i = 0; i < at->length; i += QUERIES) {
    int queries = read_block(rows->query, rows->query_row, rows, at, i, QUERIES, is_turned, HALF, room->queries);
    multiply(room->keys, room->queries, room->scores, at, HALF, top);
    for (int n = 0; n < QUERIES; n++)
      one_over[n] = exponentials(room->scores + n * at->padded, room->weights + n * at->padded, at->padded, top[n], rows->scale * LOG2_E);
    mix_all(room->paired_values, room->weights, at->padded, VECTORS, mixed);
    for (int n = 0; n < queries; n++)
      for (int d = 0; d < VECTORS; d++) {
        __m512 numbers = _mm512_mul_ps(_mm512_loadu_ps(mixed + (n * VECTORS + d) * LANES), _mm512_set1_ps(one_over[n]));
        store(numbers, rows->out + (at->start + i + n) * out_row + at->column + d * LANES, first(WIDTH - d * LANES));
      }
  }
}

/* Weights of one query, and the gradients of its scores: weight * (product - mean of the products) * scale. */
INLINE void slopes_of(const float *exponentials, const float *products, float one_over, float scale, int64_t padded, uint16_t *weights, uint16_t *slopes) {
  __m512 sum = _mm512_setzero_ps();
  for (int64_t j = 0; j < padded; j += LANES) sum = _mm512_fmadd_ps(_mm512_loadu_ps(exponentials + j), _mm512_loadu_ps(products + j), sum);
  __m512 mean = _mm512_set1_ps(_mm512_reduce_add_ps(sum) * one_over), share = _mm512_set1_ps(one_over), factor = _mm512_set1_ps(scale);
  for (int64_t j = 0; j < padded; j += LANES) {
    __m512 weight = _mm512_mul_ps(_mm512_loadu_ps(exponentials + j), share);
    __m512 slope = _mm512_mul_ps(_mm512_mul_ps(weight, factor), _mm512_sub_ps(_mm512_loadu_ps(products + j), mean));
    store(weight, weights + j, 0xffff);
    store(slope, slopes + j, 0xffff);
  }
}

/* Add, for every key, the numbers of BLOCK queries, weighted: sums are width x padded. */
INLINE void add_weighted(const uint16_t *weights, const uint32_t *query_pairs, int64_t padded, const int WIDTH, float *sums) {
  for (int64_t j = 0; j < padded; j += LANES) {
    __m512bh pairs[BLOCK / 2];
#pragma GCC unroll 16
    for (int n = 0; n < BLOCK / 2; n++) {
      __m512i one = widen(weights + 2 * n * padded + j, 0xffff), two = widen(weights + (2 * n + 1) * padded + j, 0xffff);
      pairs[n] = as_pairs(_mm512_or_si512(one, _mm512_slli_epi32(two, 16)));
    }
#pragma GCC unroll 2
    for (int d = 0; d < WIDTH; d++) {
      __m512 sum = _mm512_loadu_ps(sums + d * padded + j), next = _mm512_setzero_ps();
#pragma GCC unroll 8
      for (int n = 0; n < BLOCK / 2; n += 2) {
        sum = _mm512_dpbf16_ps(sum, pairs[n], repeat(query_pairs[n * WIDTH + d]));
        next = _mm512_dpbf16_ps(next, pairs[n + 1], repeat(query_pairs[(n + 1) * WIDTH + d]));
      }
      _mm512_storeu_ps(sums + d * padded + j, _mm512_add_ps(sum, next));
    }
  }
}

/* Words of two queries each, of the words of BLOCK queries. */
INLINE void pair_block(const uint32_t *words, const int HALF, uint32_t *pairs) {
  for (int n = 0; n < BLOCK / 2; n++)
    for (int k = 0; k < HALF; k++) {
      uint32_t one = words[2 * n * HALF + k], two = words[(2 * n + 1) * HALF + k];
      pairs[n * 2 * HALF + k] = (one & 0xffff) | two << 16;
      pairs[n * 2 * HALF + HALF + k] = one >> 16 | (two & 0xffff0000);
    }
}

INLINE void write_sums(const float *sums, uint16_t *out, const Rows *rows, const Place *at, int is_turned, const int WIDTH) {
  float numbers[WIDTH];
  for (int64_t j = 0; j < at->length; j++) {
    for (int d = 0; d < WIDTH; d++) numbers[d] = sums[d * at->padded + j];
    write_gradient(numbers, rows, at->start + j, is_turned, WIDTH / 2, out + (at->start + j) * rows->heads * WIDTH + at->column);
  }
}

INLINE void go_back_one(const Rows *rows, const Room *room, const Place *at, const int WIDTH) {
  const int HALF = WIDTH / 2, VECTORS = (WIDTH + LANES - 1) / LANES, is_turned = rows->cosine != NULL;
  int64_t out_row = rows->heads * WIDTH, padded = at->padded;
  float mixed[QUERIES * VECTORS * LANES];
  __m512 top[QUERIES], unused[QUERIES];
  gather_planes(rows->key, rows->key_row, rows, at, is_turned, HALF, room->keys);
  gather_planes(rows->value, rows->value_row, rows, at, 0, HALF, room->values);
  pair_planes(room->keys, at, HALF, room->paired_keys);
  memset(room->of_keys, 0, WIDTH * padded * sizeof(float));
  memset(room->of_values, 0, WIDTH * padded * sizeof(float));
  for (int64_t i = 0; i < at->length; i += BLOCK) {
    int queries = read_block(rows->query, rows->query_row, rows, at, i, BLOCK, is_turned, HALF, room->queries);
    read_block(rows->gradient, out_row, rows, at, i, BLOCK, 0, HALF, room->gradients);
    for (int part = 0; part < BLOCK; part += QUERIES) {
      uint16_t *slopes = room->slopes + part * padded;
      multiply(room->keys, room->queries + part * HALF, room->scores, at, HALF, top);
      multiply(room->values, room->gradients + part * HALF, room->products, at, HALF, unused);
      for (int n = 0; n < QUERIES; n++) {
        float *scores = room->scores + n * padded;
        float one_over = exponentials(scores, NULL, padded, top[n], rows->scale * LOG2_E);
        slopes_of(scores, room->products + n * padded, one_over, rows->scale, padded, room->weights + (part + n) * padded, slopes + n * padded);
      }
      mix_all(room->paired_keys, slopes, padded, VECTORS, mixed);
      for (int n = 0; n < QUERIES && part + n < queries; n++) {
        int64_t token = at->start + i + part + n;
        write_gradient(mixed + n * VECTORS * LANES, rows, token, is_turned, HALF, rows->of_query + token * out_row + at->column);
      }
    }
    pair_block(room->queries, HALF, room->query_pairs);
    pair_block(room->gradients, HALF, room->gradient_pairs);
    add_weighted(room->slopes, room->query_pairs, padded, WIDTH, room->of_keys);
    add_weighted(room->weights, room->gradient_pairs, padded, WIDTH, room->of_values);
  }
  write_sums(room->of_keys, rows->of_key, rows, at, is_turned, WIDTH);
  write_sums(room->of_values, rows->of_value, rows, at, 0, WIDTH);
}

/* Divide one piece of memory; without memory, only count the bytes. */
static size_t divide(char *memory, int64_t padded, int64_t width, int is_backward, Room *room) {
  int64_t half = width / 2, numbers = (width + LANES - 1) / LANES * LANES, block = is_backward ? BLOCK : QUERIES, way_back = is_backward;
  size_t used = 0;
#define TAKE(part, count) \
  do { \
    room->part = memory ? (void *)(memory + used) : NULL; \
    used += ((size_t)(count) * sizeof *room->part + 63) / 64 * 64; \
  } while (0)
  TAKE(keys, half * padded);
  TAKE(values, way_back * half * padded);
  TAKE(paired_keys, way_back * (padded / 2 * numbers + LANES));
  TAKE(paired_values, padded / 2 * numbers + LANES);
  TAKE(queries, block * half);
  TAKE(gradients, block * half);
  TAKE(scores, QUERIES * padded);
  TAKE(products, way_back * QUERIES * padded);
  TAKE(weights, block * padded);
  TAKE(slopes, way_back * block * padded);
  TAKE(query_pairs, way_back * block / 2 * width);
  TAKE(gradient_pairs, way_back * block / 2 * width);
  TAKE(of_keys, way_back * width * padded);
  TAKE(of_values, way_back * width * padded);
#undef TAKE
  return used;
}

static int64_t padded_length(int64_t length) { return (length + STEP - 1) / STEP * STEP; }

#define ONE(width) \
  case width: \
    if (is_backward) go_back_one(rows, &room, &at, width); \
    else attend_one(rows, &room, &at, width); \
    break

/* Attend, or compute the gradients, for the sequences and heads number `from` to `to`, counted sequence by
   sequence. Returns 0, 1 if the memory is not enough, or 2 for a width that is not compiled. */
__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))
int peftide_attend(const Rows *rows, int64_t from, int64_t to, int is_backward) {
  int64_t longest = 0;
  for (int64_t s = from / rows->heads; s * rows->heads < to; s++) {
    int64_t length = rows->ends[s + 1] - rows->ends[s];
    if (length > longest) longest = length;
  }
  Room room;
  char *memory = aligned_alloc(64, divide(NULL, padded_length(longest), rows->width, is_backward, &room) + 64);
  if (!memory) return 1;
  divide(memory, padded_length(longest), rows->width, is_backward, &room);
  int wrong = 0;
  for (int64_t item = from; item < to; item++) {
    int64_t sequence = item / rows->heads, start = rows->ends[sequence], length = rows->ends[sequence + 1] - start;
    Place at = {start, length, padded_length(length), item % rows->heads * rows->width};
    switch (rows->width) {
      ONE(16);
      ONE(24);
      ONE(32);
      ONE(64);
      ONE(128);
      default: wrong = 2;
    }
  }
  free(memory);
  return wrong;
}
