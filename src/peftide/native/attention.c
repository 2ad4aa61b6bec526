/* Attention inside each sequence of a packed row, for CPUs that multiply bf16 pairs (AVX512-BF16).

   softmax(scale * Q K^T) V of one sequence and one head at a time: eight queries against all keys.
   The scores of eight queries stay in the cache of the core, products take two numbers at once, and
   the exponential is a polynomial of degree 4 (relative error below 3e-6, bf16 rounds at 4e-3).

   A "word" is two bf16 numbers side by side, as the instruction vdpbf16ps multiplies them. */

#include <immintrin.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define QUERIES 8
#define LANES 16
#define STEP 32 /* keys of one round: two vectors */
#define LOWEST -1e30f
#define LOG2_E 1.44269504f
#define INLINE static inline __attribute__((always_inline, target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))

typedef struct {
  const uint16_t *query, *key, *value; /* bf16: tokens x heads x width */
  const float *cosine, *sine;          /* tokens x width / 2 turns of rotary positions, or NULL */
  uint16_t *out;                       /* bf16: tokens x heads x width, contiguous */
  const int64_t *ends;                 /* sequences + 1 numbers: where each sequence begins, and the end */
  int64_t heads, width;
  int64_t query_row, key_row, value_row, turn_row; /* numbers from one token to the next */
  float scale;
} Rows;

/* Room for one sequence and head; every part begins at a multiple of 64 bytes. */
typedef struct {
  uint32_t *keys;    /* half x padded words: words of one plane side by side */
  uint32_t *values;  /* padded / 2 x vectors x 16 words: a number of two tokens side by side */
  uint32_t *queries; /* QUERIES x half words */
  float *scores;     /* QUERIES x padded */
  uint32_t *weights; /* QUERIES x padded / 2 words: exponentials of the scores */
} Room;

INLINE __m512bh as_pairs(__m512i words) { return (__m512bh)words; }
INLINE __m512bh load(const uint32_t *words) { return as_pairs(_mm512_loadu_si512(words)); }
INLINE __m512bh repeat(uint32_t word) { return as_pairs(_mm512_set1_epi32((int)word)); }
INLINE __mmask16 first(int64_t count) { return count >= LANES ? 0xffff : count <= 0 ? 0 : (__mmask16)((1 << count) - 1); }
INLINE __m512i widen(const uint16_t *numbers, __mmask16 mask) { return _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, numbers)); }
INLINE __m512 to_float(__m512i halves) { return _mm512_castsi512_ps(_mm512_slli_epi32(halves, 16)); }

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

/* The words of one token, turned by its position if there are turns: plane k of a vector is spanned by
   its numbers k and k + half, which become one word. Queries and keys are turned alike, so that their
   products are those of the usual order. */
INLINE void read_words(const uint16_t *token, const float *cosine, const float *sine, const int HALF, uint32_t *words) {
  if (!cosine) {
    memcpy(words, token, HALF * sizeof(uint32_t));
    return;
  }
  for (int k = 0; k < HALF; k += LANES) {
    __mmask16 mask = first(HALF - k);
    __m512 x = to_float(widen(token + k, mask)), y = to_float(widen(token + HALF + k, mask));
    __m512 c = _mm512_maskz_loadu_ps(mask, cosine + k), s = _mm512_maskz_loadu_ps(mask, sine + k);
    __m512 turned_x = _mm512_fmsub_ps(x, c, _mm512_mul_ps(y, s)), turned_y = _mm512_fmadd_ps(y, c, _mm512_mul_ps(x, s));
    __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(turned_x));
    __m512i high = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(turned_y));
    _mm512_mask_storeu_epi32(words + k, mask, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
  }
}

/* Scores of eight queries with all keys, and the largest of each lane. */
INLINE void score(const Room *room, int64_t padded, int64_t length, const int HALF, __m512 *top) {
  for (int i = 0; i < QUERIES; i++) top[i] = _mm512_set1_ps(LOWEST);
  for (int64_t j = 0; j < padded; j += STEP) {
    __m512 left[QUERIES], right[QUERIES];
#pragma GCC unroll 8
    for (int i = 0; i < QUERIES; i++) left[i] = right[i] = _mm512_setzero_ps();
#pragma GCC unroll 4
    for (int k = 0; k < HALF; k++) {
      __m512bh key = load(room->keys + k * padded + j), next = load(room->keys + k * padded + j + LANES);
#pragma GCC unroll 8
      for (int i = 0; i < QUERIES; i++) {
        __m512bh query = repeat(room->queries[i * HALF + k]);
        left[i] = _mm512_dpbf16_ps(left[i], key, query);
        right[i] = _mm512_dpbf16_ps(right[i], next, query);
      }
    }
    __mmask16 inside = first(length - j), inside_next = first(length - j - LANES);
#pragma GCC unroll 8
    for (int i = 0; i < QUERIES; i++) {
      left[i] = _mm512_mask_blend_ps(inside, _mm512_set1_ps(LOWEST), left[i]);
      right[i] = _mm512_mask_blend_ps(inside_next, _mm512_set1_ps(LOWEST), right[i]);
      top[i] = _mm512_max_ps(top[i], _mm512_max_ps(left[i], right[i]));
      _mm512_storeu_ps(room->scores + i * padded + j, left[i]);
      _mm512_storeu_ps(room->scores + i * padded + j + LANES, right[i]);
    }
  }
}

/* Exponentials of the scores of one query, in bf16; returns one over their sum. */
INLINE float exponentials(const float *scores, uint32_t *weights, int64_t padded, __m512 top, float scale) {
  __m512 factor = _mm512_set1_ps(scale), shift = _mm512_set1_ps(-_mm512_reduce_max_ps(top) * scale);
  __m512 sum = _mm512_setzero_ps(), sum_next = sum;
  for (int64_t j = 0; j < padded; j += STEP) {
    __m512 left = power_of_two(_mm512_fmadd_ps(_mm512_loadu_ps(scores + j), factor, shift));
    __m512 right = power_of_two(_mm512_fmadd_ps(_mm512_loadu_ps(scores + j + LANES), factor, shift));
    sum = _mm512_add_ps(sum, left);
    sum_next = _mm512_add_ps(sum_next, right);
    _mm512_storeu_si512(weights + j / 2, (__m512i)_mm512_cvtne2ps_pbh(right, left));
  }
  return 1.0f / _mm512_reduce_add_ps(_mm512_add_ps(sum, sum_next));
}

/* Values of all tokens, weighted for eight queries: one vector of 16 numbers, in two interleaved sums, or two. */
INLINE void mix(const Room *room, int64_t padded, int d, const int VECTORS, __m512 *left, __m512 *right) {
  const int BOTH = VECTORS > 1;
#pragma GCC unroll 8
  for (int i = 0; i < QUERIES; i++) left[i] = right[i] = _mm512_setzero_ps();
  for (int64_t j = 0; j < padded / 2; j += BOTH ? 1 : 2) {
    const uint32_t *values = room->values + (j * VECTORS + d) * LANES;
    __m512bh value = load(values), next = load(values + LANES); /* of the same two tokens, or of the next two */
#pragma GCC unroll 8
    for (int i = 0; i < QUERIES; i++) {
      const uint32_t *weights = room->weights + i * (padded / 2) + j;
      left[i] = _mm512_dpbf16_ps(left[i], value, repeat(weights[0]));
      right[i] = _mm512_dpbf16_ps(right[i], next, repeat(weights[BOTH ? 0 : 1]));
    }
  }
}

INLINE void store(__m512 numbers, uint16_t *out, __mmask16 mask) {
  _mm256_mask_storeu_epi16(out, mask, (__m256i)_mm512_cvtneps_pbh(numbers));
}

INLINE void mix_all(const Room *room, int64_t padded, const int WIDTH, const float *one_over, uint16_t *out, int64_t out_row, int queries) {
  const int VECTORS = (WIDTH + LANES - 1) / LANES;
  for (int d = 0; d < VECTORS; d += 2) {
    __m512 left[QUERIES], right[QUERIES];
    mix(room, padded, d, VECTORS, left, right);
    for (int i = 0; i < queries; i++) {
      __m512 factor = _mm512_set1_ps(one_over[i]);
      uint16_t *token = out + i * out_row + d * LANES;
      if (VECTORS == 1) left[i] = _mm512_add_ps(left[i], right[i]);
      store(_mm512_mul_ps(left[i], factor), token, first(WIDTH - d * LANES));
      if (VECTORS > 1) store(_mm512_mul_ps(right[i], factor), token + LANES, first(WIDTH - (d + 1) * LANES));
    }
  }
}

/* Keys and values of one sequence and head, in the order in which they are multiplied; padding is zero. */
INLINE void gather(const Rows *rows, const Room *room, int64_t start, int64_t length, int64_t padded, int64_t column, const int WIDTH) {
  const int HALF = WIDTH / 2, VECTORS = (WIDTH + LANES - 1) / LANES;
  uint32_t words[HALF];
  for (int64_t j = 0; j < padded; j++) {
    const float *cosine = rows->cosine ? rows->cosine + (start + j) * rows->turn_row : NULL;
    const float *sine = rows->sine ? rows->sine + (start + j) * rows->turn_row : NULL;
    if (j < length) read_words(rows->key + (start + j) * rows->key_row + column, cosine, sine, HALF, words);
    else memset(words, 0, sizeof words);
    for (int k = 0; k < HALF; k++) room->keys[k * padded + j] = words[k];
  }
  for (int64_t j = 0; j < padded; j += 2)
    for (int d = 0; d < VECTORS; d++) {
      const uint16_t *token = rows->value + (start + j) * rows->value_row + column + d * LANES;
      __mmask16 mask = first(WIDTH - d * LANES);
      __m512i one = j < length ? widen(token, mask) : _mm512_setzero_si512();
      __m512i two = j + 1 < length ? widen(token + rows->value_row, mask) : _mm512_setzero_si512();
      _mm512_storeu_si512(room->values + (j / 2 * VECTORS + d) * LANES, _mm512_or_si512(one, _mm512_slli_epi32(two, 16)));
    }
}

INLINE void attend_one(const Rows *rows, const Room *room, int64_t sequence, int64_t head, const int WIDTH) {
  const int HALF = WIDTH / 2;
  int64_t start = rows->ends[sequence], length = rows->ends[sequence + 1] - start;
  int64_t padded = (length + STEP - 1) / STEP * STEP, column = head * WIDTH, out_row = rows->heads * WIDTH;
  gather(rows, room, start, length, padded, column, WIDTH);
  for (int64_t i = 0; i < length; i += QUERIES) {
    int queries = (int)(length - i < QUERIES ? length - i : QUERIES);
    if (queries < QUERIES) memset(room->queries, 0, QUERIES * HALF * sizeof(uint32_t));
    for (int n = 0; n < queries; n++) {
      int64_t token = start + i + n;
      const float *cosine = rows->cosine ? rows->cosine + token * rows->turn_row : NULL;
      const float *sine = rows->sine ? rows->sine + token * rows->turn_row : NULL;
      read_words(rows->query + token * rows->query_row + column, cosine, sine, HALF, room->queries + n * HALF);
    }
    __m512 top[QUERIES];
    float one_over[QUERIES];
    score(room, padded, length, HALF, top);
    for (int n = 0; n < QUERIES; n++)
      one_over[n] = exponentials(room->scores + n * padded, room->weights + n * (padded / 2), padded, top[n], rows->scale * LOG2_E);
    mix_all(room, padded, WIDTH, one_over, rows->out + (start + i) * out_row + column, out_row, queries);
  }
}

static void *take(char **place, int64_t words) {
  void *part = *place;
  *place += (words * 4 + 63) / 64 * 64;
  return part;
}

static void *make_room(const Rows *rows, int64_t padded, Room *room) {
  int64_t half = rows->width / 2, vectors = (rows->width + LANES - 1) / LANES;
  int64_t words = padded * half + padded / 2 * (vectors + 1) * LANES + QUERIES * (half + padded + padded / 2);
  char *memory = aligned_alloc(64, (words * 4 + 63) / 64 * 64 + 5 * 64), *place = memory;
  if (!memory) return NULL;
  room->keys = take(&place, padded * half);
  room->values = take(&place, padded / 2 * vectors * LANES + LANES);
  room->queries = take(&place, QUERIES * half);
  room->scores = take(&place, QUERIES * padded);
  room->weights = take(&place, QUERIES * padded / 2);
  return memory;
}

/* Attend for the sequences and heads number `from` to `to`, counted sequence by sequence.
   Returns 0, 1 if the memory is not enough, or 2 for a width that is not compiled. */
__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))
int peftide_attend(const Rows *rows, int64_t from, int64_t to) {
  int64_t longest = 0;
  for (int64_t s = from / rows->heads; s * rows->heads < to; s++) {
    int64_t length = rows->ends[s + 1] - rows->ends[s];
    if (length > longest) longest = length;
  }
  Room room;
  void *memory = make_room(rows, (longest + STEP - 1) / STEP * STEP, &room);
  if (!memory) return 1;
  int wrong = 0;
  for (int64_t item = from; item < to; item++) {
    int64_t sequence = item / rows->heads, head = item % rows->heads;
    switch (rows->width) {
      case 16: attend_one(rows, &room, sequence, head, 16); break;
      case 24: attend_one(rows, &room, sequence, head, 24); break;
      case 32: attend_one(rows, &room, sequence, head, 32); break;
      case 64: attend_one(rows, &room, sequence, head, 64); break;
      case 128: attend_one(rows, &room, sequence, head, 128); break;
      default: wrong = 2;
    }
  }
  free(memory);
  return wrong;
}
