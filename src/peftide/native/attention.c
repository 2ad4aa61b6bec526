/* Attention and its gradients for one sequence and head at a time, and what Python calls. */

#if HAS_TILES
#define CHOOSE(is_tiled, by_tiles, by_vectors) \
  do { \
    if (is_tiled) by_tiles; \
    else by_vectors; \
  } while (0)
#else
#define CHOOSE(is_tiled, by_tiles, by_vectors) \
  do { \
    (void)(is_tiled); \
    by_vectors; \
  } while (0)
#endif

INLINE void find_scores(const uint32_t *keys, const uint32_t *queries, float *scores, const Place *at, const int HALF, const int IS_TILED, __m512 *top) {
  CHOOSE(IS_TILED, multiply_tiles(keys, queries, scores, at, HALF, top), multiply(keys, queries, scores, at, HALF, top));
}

INLINE void find_mixed(const uint32_t *pairs, const uint16_t *weights, const Place *at, const int VECTORS, const int IS_TILED, float *mixed) {
  CHOOSE(IS_TILED, mix_tiles(pairs, weights, at, VECTORS, mixed), mix_all(pairs, weights, at, VECTORS, mixed));
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
    if (weights) {
      store(left, weights + j, 0xffff);
      store(right, weights + j + LANES, 0xffff);
    } else {
      _mm512_storeu_ps(scores + j, left);
      _mm512_storeu_ps(scores + j + LANES, right);
    }
  }
  return 1.0f / _mm512_reduce_add_ps(_mm512_add_ps(sum, sum_next));
}

INLINE void attend_one(const Rows *rows, const Room *room, const Place *at, const int WIDTH, const int IS_TILED) {
  const int HALF = WIDTH / 2, VECTORS = (WIDTH + LANES - 1) / LANES, COUNT = IS_TILED ? TILE : QUERIES;
  int is_turned = rows->cosine != NULL;
  int64_t out_row = rows->heads * WIDTH;
  float mixed[COUNT * VECTORS * LANES], one_over[COUNT];
  __m512 top[COUNT];
  uint16_t *weights = (uint16_t *)room->scores; /* each takes the place of a score that is not needed any more */
  gather_planes(rows->key, rows->key_row, rows, at, is_turned, HALF, room->keys, NULL);
  gather_pairs(rows->value, rows->value_row, at, WIDTH, room->paired_values);
  for (int64_t i = 0; i < at->length; i += COUNT) {
    int queries = read_block(rows->query, rows->query_row, rows, at, i, COUNT, is_turned, HALF, room->queries);
    find_scores(room->keys, room->queries, room->scores, at, HALF, IS_TILED, top);
    for (int n = 0; n < queries; n++)
      one_over[n] = exponentials(room->scores + n * at->plane, weights + n * at->row, at->padded, top[n], rows->scale * LOG2_E);
    find_mixed(room->paired_values, weights, at, VECTORS, IS_TILED, mixed);
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

INLINE void write_sums(const float *sums, uint16_t *out, const Rows *rows, const Place *at, int is_turned, const int WIDTH) {
  float numbers[TILE * WIDTH];
  for (int64_t j = 0; j < at->length; j += TILE) {
    for (int d = 0; d < WIDTH; d += TILE) {
      __m512i block[TILE];
#pragma GCC unroll 16
      for (int i = 0; i < TILE; i++) block[i] = _mm512_loadu_si512(sums + (d + i) * at->plane + j);
      transpose(block);
#pragma GCC unroll 16
      for (int i = 0; i < TILE; i++) _mm512_mask_storeu_epi32(numbers + i * WIDTH + d, first(WIDTH - d), block[i]);
    }
    for (int i = 0; i < TILE && j + i < at->length; i++)
      write_gradient(numbers + i * WIDTH, rows, at->start + j + i, is_turned, WIDTH / 2, out + (at->start + j + i) * rows->heads * WIDTH + at->column);
  }
}

INLINE void go_back_one(const Rows *rows, const Room *room, const Place *at, const int WIDTH, const int IS_TILED) {
  const int HALF = WIDTH / 2, VECTORS = (WIDTH + LANES - 1) / LANES, COUNT = IS_TILED ? TILE : QUERIES;
  int is_turned = rows->cosine != NULL;
  int64_t out_row = rows->heads * WIDTH;
  float mixed[COUNT * VECTORS * LANES];
  __m512 top[COUNT], unused[COUNT];
  gather_planes(rows->key, rows->key_row, rows, at, is_turned, HALF, room->keys, room->paired_keys);
  gather_planes(rows->value, rows->value_row, rows, at, 0, HALF, room->values, NULL);
  memset(room->of_keys, 0, VECTORS * LANES * at->plane * sizeof(float));
  memset(room->of_values, 0, VECTORS * LANES * at->plane * sizeof(float));
  for (int64_t i = 0; i < at->length; i += BLOCK) {
    int queries = read_block(rows->query, rows->query_row, rows, at, i, BLOCK, is_turned, HALF, room->queries);
    read_block(rows->gradient, out_row, rows, at, i, BLOCK, 0, HALF, room->gradients);
    memset(room->weights + queries * at->row, 0, (BLOCK - queries) * at->row * sizeof(uint16_t));
    memset(room->slopes + queries * at->row, 0, (BLOCK - queries) * at->row * sizeof(uint16_t));
    for (int part = 0; part < queries; part += COUNT) {
      uint16_t *slopes = room->slopes + part * at->row, *weights = room->weights + part * at->row;
      int count = queries - part < COUNT ? queries - part : COUNT;
      find_scores(room->keys, room->queries + part * HALF, room->scores, at, HALF, IS_TILED, top);
      find_scores(room->values, room->gradients + part * HALF, room->products, at, HALF, IS_TILED, unused);
      for (int n = 0; n < count; n++) {
        float *scores = room->scores + n * at->plane;
        float one_over = exponentials(scores, NULL, at->padded, top[n], rows->scale * LOG2_E);
        slopes_of(scores, room->products + n * at->plane, one_over, rows->scale, at->padded, weights + n * at->row, slopes + n * at->row);
      }
      find_mixed(room->paired_keys, slopes, at, VECTORS, IS_TILED, mixed);
      for (int n = 0; n < count; n++) {
        int64_t token = at->start + i + part + n;
        write_gradient(mixed + n * VECTORS * LANES, rows, token, is_turned, HALF, rows->of_query + token * out_row + at->column);
      }
    }
    pair_block(room->queries, HALF, IS_TILED, room->query_pairs);
    pair_block(room->gradients, HALF, IS_TILED, room->gradient_pairs);
    CHOOSE(IS_TILED, add_weighted_tiles(room->slopes, room->query_pairs, at, WIDTH, room->pairs, room->of_keys),
           add_weighted(room->slopes, room->query_pairs, at, WIDTH, room->of_keys));
    CHOOSE(IS_TILED, add_weighted_tiles(room->weights, room->gradient_pairs, at, WIDTH, room->pairs, room->of_values),
           add_weighted(room->weights, room->gradient_pairs, at, WIDTH, room->of_values));
  }
  write_sums(room->of_keys, rows->of_key, rows, at, is_turned, WIDTH);
  write_sums(room->of_values, rows->of_value, rows, at, 0, WIDTH);
}

/* Where one sequence and head lies, and how long its rows are. */
static Place place_of(int64_t start, int64_t length, int64_t column, int is_backward) {
  int64_t padded = (length + STEP - 1) / STEP * STEP, plane = padded + LANES;
  return (Place){start, length, padded, plane, .row = is_backward ? padded | STEP : plane * 2, column};
}

/* Divide one piece of memory; without memory, only count the bytes. */
static size_t divide(char *memory, const Place *longest, int64_t width, int is_backward, Room *room) {
  int64_t half = width / 2, numbers = (width + LANES - 1) / LANES * LANES, way_back = is_backward;
  int64_t block = is_backward ? BLOCK : MOST_QUERIES, plane = longest->plane, row = longest->row, by_pair = longest->padded / 2 * numbers + LANES;
  size_t used = 0;
#define TAKE(part, count) \
  do { \
    room->part = memory ? (void *)(memory + used) : NULL; \
    used += ((size_t)(count) * sizeof *room->part + 63) / 64 * 64; \
  } while (0)
  TAKE(keys, half * plane);
  TAKE(values, way_back * half * plane);
  TAKE(paired_keys, way_back * by_pair);
  TAKE(paired_values, by_pair);
  TAKE(queries, block * half);
  TAKE(gradients, block * half);
  TAKE(scores, MOST_QUERIES * plane);
  TAKE(products, way_back * MOST_QUERIES * plane);
  TAKE(weights, way_back * block * row);
  TAKE(slopes, way_back * block * row);
  TAKE(query_pairs, way_back * block / 2 * numbers);
  TAKE(gradient_pairs, way_back * block / 2 * numbers);
  TAKE(pairs, way_back * block / 2 * plane);
  TAKE(of_keys, way_back * numbers * plane);
  TAKE(of_values, way_back * numbers * plane);
#undef TAKE
  return used;
}

#define ONE(width) \
  case width: \
    if (is_backward) go_back_one(rows, &room, &at, width, IS_TILED); \
    else attend_one(rows, &room, &at, width, IS_TILED); \
    break

INLINE int attend(const Rows *rows, int64_t from, int64_t to, int is_backward, const int IS_TILED) {
  int64_t longest = 0;
  for (int64_t s = from / rows->heads; s * rows->heads < to; s++) {
    int64_t length = rows->ends[s + 1] - rows->ends[s];
    if (length > longest) longest = length;
  }
  Place at = place_of(0, longest, 0, is_backward);
  Room room;
  size_t bytes = divide(NULL, &at, rows->width, is_backward, &room);
  char *memory = aligned_alloc(64, bytes + 64);
  if (!memory) return 1;
  divide(memory, &at, rows->width, is_backward, &room);
  int wrong = 0;
  for (int64_t item = from; item < to; item++) {
    int64_t sequence = item / rows->heads, start = rows->ends[sequence];
    at = place_of(start, rows->ends[sequence + 1] - start, item % rows->heads * rows->width, is_backward);
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

/* Attend, or compute the gradients, for the sequences and heads number `from` to `to`, counted sequence by
   sequence. Returns 0, 1 if the memory is not enough, or 2 for a width that is not compiled. */
__attribute__((target(UNITS))) int peftide_attend(const Rows *rows, int64_t from, int64_t to, int is_backward) {
  return attend(rows, from, to, is_backward, 0);
}

/* The same by tiles, if `peftide_may_use_tiles`. */
__attribute__((target(UNITS))) int peftide_attend_tiles(const Rows *rows, int64_t from, int64_t to, int is_backward) {
#if HAS_TILES
  shape_tiles(rows->width / 2);
  int wrong = attend(rows, from, to, is_backward, 1);
  _tile_release();
  return wrong;
#else
  return attend(rows, from, to, is_backward, 0);
#endif
}

#if !HAS_TILES
int peftide_may_use_tiles(void) { return 0; }
#endif
