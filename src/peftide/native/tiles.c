/* The same products by tiles of 16 x 16 words (AMX), sixteen queries at a time.

   Tiles 0 to 3 hold sums, 4 and 5 queries and keys, 6 and 7 weights and the numbers that they weigh. */

#if HAS_TILES
#include <sys/syscall.h>
#include <unistd.h>

typedef struct {
  uint8_t palette, start, unused[14];
  uint16_t bytes[16]; /* of a row */
  uint8_t rows[16];
} Shapes;

/* Words of one product of queries and keys: a tile has at most 16. */
#define DEPTH(half) ((half) < TILE ? (half) : TILE)

/* Ask the system for the tiles; returns whether this process may use them. */
int peftide_may_use_tiles(void) {
  const long ask = 0x1023, tile_data = 18; /* ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA */
  return syscall(SYS_arch_prctl, ask, tile_data) == 0;
}

INLINE void shape_tiles(int64_t half) {
  Shapes shapes = {.palette = 1};
  for (int tile = 0; tile < 8; tile++) {
    shapes.bytes[tile] = TILE * 4;
    shapes.rows[tile] = TILE;
  }
  shapes.bytes[4] = (uint16_t)(DEPTH(half) * 4);
  shapes.rows[5] = (uint8_t)DEPTH(half);
  _tile_loadconfig(&shapes);
}

/* Scores of 16 queries and 16 keys, in the tile `sum`. */
#define SCORES(sum, key) \
  do { \
    _tile_zero(sum); \
    for (int k = 0; k < HALF; k += TILE) { \
      if (HALF > TILE) _tile_loadd(4, queries + k, HALF * 4); \
      _tile_loadd(5, keys + k * at->plane + (key), at->plane * 4); \
      _tile_dpbf16ps(sum, 4, 5); \
    } \
    _tile_stored(sum, scores + (key), at->plane * 4); \
  } while (0)

/* As `multiply`, for sixteen queries. */
INLINE void multiply_tiles(const uint32_t *keys, const uint32_t *queries, float *scores, const Place *at, const int HALF, __m512 *top) {
  if (HALF <= TILE) _tile_loadd(4, queries, HALF * 4);
  for (int64_t j = 0; j < at->padded; j += STEP) {
    SCORES(0, j);
    SCORES(1, j + TILE);
  }
  __mmask16 outside = ~first(at->length - at->padded + STEP), outside_next = ~first(at->length - at->padded + LANES);
  for (int i = 0; i < TILE; i++) {
    float *row = scores + i * at->plane, *end = row + at->padded;
    _mm512_mask_storeu_ps(end - STEP, outside, _mm512_set1_ps(LOWEST));
    _mm512_mask_storeu_ps(end - LANES, outside_next, _mm512_set1_ps(LOWEST));
    __m512 left = _mm512_loadu_ps(row), right = _mm512_loadu_ps(row + LANES);
    for (row += STEP; row < end; row += STEP) {
      left = _mm512_max_ps(left, _mm512_loadu_ps(row));
      right = _mm512_max_ps(right, _mm512_loadu_ps(row + LANES));
    }
    top[i] = _mm512_max_ps(left, right);
  }
}

/* Add 16 numbers of 32 tokens, weighted by tile 6. */
#define ADD(sum, token, d) \
  do { \
    _tile_loadd(7, pairs + ((token) / 2 * VECTORS + (d)) * LANES, VECTORS * LANES * 4); \
    _tile_dpbf16ps(sum, 6, 7); \
  } while (0)
#define WEIGHTS(token) _tile_loadd(6, weights + (token), at->row * 2)

/* As `mix_all`, for sixteen queries. Few numbers are summed in parts, since one sum waits for the one before. */
INLINE void mix_tiles(const uint32_t *pairs, const uint16_t *weights, const Place *at, const int VECTORS, float *mixed) {
  const int PARTS = VECTORS == 1 ? 4 : VECTORS == 2 ? 2 : 1, ROW = VECTORS * LANES;
  float sums[4][TILE * LANES];
  for (int d = 0; d < VECTORS; d += 4) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int64_t j = 0; j < at->padded; j += STEP * PARTS) {
      WEIGHTS(j);
      ADD(0, j, d);
      if (VECTORS > 1) ADD(1, j, d + 1);
      if (VECTORS > 2) ADD(2, j, d + 2);
      if (VECTORS > 2) ADD(3, j, d + 3);
      if (PARTS > 1 && j + STEP < at->padded) {
        WEIGHTS(j + STEP);
        if (VECTORS == 1) ADD(1, j + STEP, 0);
        else {
          ADD(2, j + STEP, 0);
          ADD(3, j + STEP, 1);
        }
      }
      if (PARTS > 2 && j + 2 * STEP < at->padded) {
        WEIGHTS(j + 2 * STEP);
        ADD(2, j + 2 * STEP, 0);
      }
      if (PARTS > 2 && j + 3 * STEP < at->padded) {
        WEIGHTS(j + 3 * STEP);
        ADD(3, j + 3 * STEP, 0);
      }
    }
    if (PARTS == 1) {
      _tile_stored(0, mixed + d * LANES, ROW * 4);
      _tile_stored(1, mixed + (d + 1) * LANES, ROW * 4);
      _tile_stored(2, mixed + (d + 2) * LANES, ROW * 4);
      _tile_stored(3, mixed + (d + 3) * LANES, ROW * 4);
      continue;
    }
    _tile_stored(0, sums[0], LANES * 4);
    _tile_stored(1, sums[1], LANES * 4);
    _tile_stored(2, sums[2], LANES * 4);
    _tile_stored(3, sums[3], LANES * 4);
    for (int i = 0; i < TILE; i++)
      for (int v = 0; v < VECTORS; v++) {
        __m512 sum = _mm512_loadu_ps(sums[v] + i * LANES);
        for (int part = 1; part < PARTS; part++) sum = _mm512_add_ps(sum, _mm512_loadu_ps(sums[part * VECTORS + v] + i * LANES));
        _mm512_storeu_ps(mixed + i * ROW + v * LANES, sum);
      }
  }
}

/* As `add_weighted`; sums have 16 numbers for each vector, and `pairs` is room for the weights of two queries each. */
INLINE void add_weighted_tiles(const uint16_t *weights, const uint32_t *query_pairs, const Place *at, const int WIDTH, uint32_t *pairs, float *sums) {
  const __m512i lower = _mm512_set_epi16(
      47, 15, 46, 14, 45, 13, 44, 12, 43, 11, 42, 10, 41, 9, 40, 8, 39, 7, 38, 6, 37, 5, 36, 4, 35, 3, 34, 2, 33, 1, 32, 0);
  const __m512i upper = _mm512_add_epi16(lower, _mm512_set1_epi16(LANES));
  for (int n = 0; n < BLOCK / 2; n++)
    for (int64_t j = 0; j < at->padded; j += STEP) {
      __m512i one = _mm512_loadu_si512(weights + 2 * n * at->row + j), two = _mm512_loadu_si512(weights + (2 * n + 1) * at->row + j);
      _mm512_storeu_si512(pairs + n * at->plane + j, _mm512_permutex2var_epi16(one, lower, two));
      _mm512_storeu_si512(pairs + n * at->plane + j + LANES, _mm512_permutex2var_epi16(one, upper, two));
    }
  for (int d = 0; d < WIDTH; d += TILE) {
    _tile_loadd(6, query_pairs + d * TILE, TILE * 4);
    for (int64_t j = 0; j < at->padded; j += STEP) {
      float *left = sums + d * at->plane + j, *right = left + TILE;
      _tile_loadd(0, left, at->plane * 4);
      _tile_loadd(1, right, at->plane * 4);
      _tile_loadd(7, pairs + j, at->plane * 4);
      _tile_dpbf16ps(0, 6, 7);
      _tile_loadd(7, pairs + j + TILE, at->plane * 4);
      _tile_dpbf16ps(1, 6, 7);
      _tile_stored(0, left, at->plane * 4);
      _tile_stored(1, right, at->plane * 4);
    }
  }
}
#undef SCORES
#undef ADD
#undef WEIGHTS
#endif
