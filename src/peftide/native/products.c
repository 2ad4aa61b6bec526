/* Products by vectors, eight queries at a time. */

#define QUERIES 8

/* Products of eight tokens with all keys, and the largest of each lane; those of the padding are LOWEST. */
INLINE void multiply(const uint32_t *keys, const uint32_t *queries, float *scores, const Place *at, const int HALF, __m512 *top) {
  for (int i = 0; i < QUERIES; i++) top[i] = _mm512_set1_ps(LOWEST);
  for (int64_t j = 0; j < at->padded; j += STEP) {
    __m512 left[QUERIES], right[QUERIES];
#pragma GCC unroll 8
    for (int i = 0; i < QUERIES; i++) left[i] = right[i] = _mm512_setzero_ps();
#pragma GCC unroll 4
    for (int k = 0; k < HALF; k++) {
      __m512i key = load(keys + k * at->plane + j), next = load(keys + k * at->plane + j + LANES);
#pragma GCC unroll 8
      for (int i = 0; i < QUERIES; i++) {
        __m512i query = repeat(queries[i * HALF + k]);
        left[i] = add_products(left[i], key, query);
        right[i] = add_products(right[i], next, query);
      }
    }
    __mmask16 inside = first(at->length - j), inside_next = first(at->length - j - LANES);
#pragma GCC unroll 8
    for (int i = 0; i < QUERIES; i++) {
      left[i] = _mm512_mask_blend_ps(inside, _mm512_set1_ps(LOWEST), left[i]);
      right[i] = _mm512_mask_blend_ps(inside_next, _mm512_set1_ps(LOWEST), right[i]);
      top[i] = _mm512_max_ps(top[i], _mm512_max_ps(left[i], right[i]));
      _mm512_storeu_ps(scores + i * at->plane + j, left[i]);
      _mm512_storeu_ps(scores + i * at->plane + j + LANES, right[i]);
    }
  }
}

/* Two vectors of 16 numbers of all tokens, weighted for eight queries. A single vector is summed in two parts. */
INLINE void mix(const uint32_t *pairs, const uint16_t *weights, const Place *at, int d, const int VECTORS, __m512 *left, __m512 *right) {
  const int BOTH = VECTORS > 1;
#pragma GCC unroll 8
  for (int i = 0; i < QUERIES; i++) left[i] = right[i] = _mm512_setzero_ps();
  for (int64_t j = 0; j < at->padded / 2; j += BOTH ? 1 : 2) {
    const uint32_t *numbers = pairs + (j * VECTORS + d) * LANES;
    __m512i one = load(numbers), next = load(numbers + LANES); /* of the same two tokens, or of the next two */
#pragma GCC unroll 8
    for (int i = 0; i < QUERIES; i++) {
      const uint32_t *words = (const uint32_t *)(weights + i * at->row) + j;
      left[i] = add_products(left[i], one, repeat(words[0]));
      right[i] = add_products(right[i], next, repeat(words[BOTH ? 0 : 1]));
    }
  }
  if (!BOTH)
    for (int i = 0; i < QUERIES; i++) left[i] = _mm512_add_ps(left[i], right[i]);
}

/* Numbers of all tokens, weighted for eight queries: QUERIES x vectors x 16. */
INLINE void mix_all(const uint32_t *pairs, const uint16_t *weights, const Place *at, const int VECTORS, float *mixed) {
  for (int d = 0; d < VECTORS; d += 2) {
    __m512 left[QUERIES], right[QUERIES];
    mix(pairs, weights, at, d, VECTORS, left, right);
    for (int i = 0; i < QUERIES; i++) {
      _mm512_storeu_ps(mixed + (i * VECTORS + d) * LANES, left[i]);
      if (VECTORS > 1) _mm512_storeu_ps(mixed + (i * VECTORS + d + 1) * LANES, right[i]);
    }
  }
}

/* Add, for every key, the numbers of BLOCK queries, weighted: sums are width x padded. */
INLINE void add_weighted(const uint16_t *weights, const uint32_t *query_pairs, const Place *at, const int WIDTH, float *sums) {
  for (int64_t j = 0; j < at->padded; j += LANES) {
    __m512i pairs[BLOCK / 2];
#pragma GCC unroll 16
    for (int n = 0; n < BLOCK / 2; n++) {
      __m512i one = widen(weights + 2 * n * at->row + j, 0xffff), two = widen(weights + (2 * n + 1) * at->row + j, 0xffff);
      pairs[n] = _mm512_or_si512(one, _mm512_slli_epi32(two, 16));
    }
#pragma GCC unroll 2
    for (int d = 0; d < WIDTH; d++) {
      __m512 sum = _mm512_loadu_ps(sums + d * at->plane + j), next = _mm512_setzero_ps();
#pragma GCC unroll 8
      for (int n = 0; n < BLOCK / 2; n += 2) {
        sum = add_products(sum, pairs[n], repeat(query_pairs[n * WIDTH + d]));
        next = add_products(next, pairs[n + 1], repeat(query_pairs[(n + 1) * WIDTH + d]));
      }
      _mm512_storeu_ps(sums + d * at->plane + j, _mm512_add_ps(sum, next));
    }
  }
}

