/* Matrix products of 8-bit numbers for CPUs with AVX512-VNNI: rounding rows to 8 bits, each with its own scale, and
   the product, whose sums become bf16, with bias and GELU, before they leave the registers. halves.c comes before. */

#define ROWS 6            /* rows and vectors of columns that are summed at a time */
#define VECTORS 4
#define CHUNK (16 * ROWS) /* rows that stay in the cache while all columns pass */
#define UNITS VECTOR_UNITS ",avx512vnni"
#define INLINE static inline __attribute__((always_inline, target(UNITS)))

typedef struct {
  const uint16_t *rows; /* bf16: tokens x width */
  uint8_t *numbers;     /* tokens x room: number + offset, then `offset` up to `room` */
  float *scales;        /* tokens: row = number * scale */
  int64_t width, room;
  int64_t offset;       /* 128 for unsigned numbers, or 0 */
} Rounding;

typedef struct {
  const uint8_t *rows;        /* tokens x inputs: number + 128 */
  const int8_t *weight;       /* outputs / 16, inputs / 4, 16, 4 */
  const int32_t *starts;      /* outputs: -128 * sum of the weights */
  const int32_t *sums;        /* tokens x outputs, for `peftide_finish` */
  const float *row_scales;    /* tokens */
  const float *column_scales; /* outputs */
  const float *bias;          /* outputs */
  uint16_t *out;              /* bf16: tokens x outputs */
  int64_t inputs, outputs;
  int64_t gelu;               /* whether to apply it */
} Product;

INLINE __m512 widened(const uint16_t *from, __mmask16 mask) { return to_float(widen(from, mask)); }

/* Round the tokens number `from` to `to`; the scale of a token with NaN is NaN. */
__attribute__((target(UNITS))) int peftide_round(const Rounding *rounding, int64_t from, int64_t to) {
  int64_t width = rounding->width, room = rounding->room;
  __m128i offset = _mm_set1_epi8((char)rounding->offset);
  for (int64_t token = from; token < to; token++) {
    const uint16_t *row = rounding->rows + token * width;
    uint8_t *numbers = rounding->numbers + token * room;
    __m512 top = _mm512_setzero_ps();
    __mmask16 unordered = 0;
    for (int64_t k = 0; k < width; k += LANES) {
      __m512 x = widened(row + k, first(width - k));
      unordered |= _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
      top = _mm512_max_ps(top, _mm512_abs_ps(x));
    }
    float largest = _mm512_reduce_max_ps(top);
    rounding->scales[token] = unordered ? __builtin_nanf("") : largest / 127.0f;
    __m512 factor = _mm512_set1_ps(largest > 0.0f ? 127.0f / largest : 0.0f);
    for (int64_t k = 0; k < room; k += LANES) {
      __m512i whole = _mm512_cvtps_epi32(_mm512_mul_ps(widened(row + k, first(width - k)), factor));
      _mm_mask_storeu_epi8(numbers + k, first(room - k), _mm_add_epi8(_mm512_cvtsepi32_epi8(whole), offset));
    }
  }
  return 0;
}

/* x times the normal distribution below x; absolute error below 2e-5. The distribution is 1/2 + x times a polynomial
   of x squared, fitted up to 4.5, where it is 1 to 3e-6. */
INLINE __m512 gelu(__m512 x) {
  static const float FACTORS[] = {-0.00193052918f, 0.00496270624f, -0.00607019938f, 0.00965321779f, -0.0184839712f,
                                  0.0288576548f, -0.0402369762f, 0.0546374897f, -0.077185883f, 0.156906044f};
  const float END = 4.5f;
  __m512 inside = _mm512_min_ps(_mm512_max_ps(x, _mm512_set1_ps(-END)), _mm512_set1_ps(END));
  __m512 place = _mm512_fmsub_ps(_mm512_mul_ps(inside, inside), _mm512_set1_ps(2 / (END * END)), _mm512_set1_ps(1));
  __m512 sum = _mm512_set1_ps(FACTORS[0]);
#pragma GCC unroll 9
  for (int n = 1; n < 10; n++) sum = _mm512_fmadd_ps(sum, place, _mm512_set1_ps(FACTORS[n]));
  __mmask16 counts = _mm512_cmp_ps_mask(x, _mm512_set1_ps(-END), _CMP_NLT_UQ); /* NaN counts */
  return _mm512_maskz_mul_ps(counts, x, _mm512_fmadd_ps(inside, sum, _mm512_set1_ps(0.5f)));
}

/* Turn 16 sums of a token into its numbers from column `k` on. */
INLINE void write(const Product *product, int64_t token, int64_t k, __m512i sums, const int GELU) {
  __mmask16 mask = first(product->outputs - k);
  __m512 scale = _mm512_set1_ps(product->row_scales[token]);
  __m512 scales = _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, product->column_scales + k), scale);
  __m512 x = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums), scales, _mm512_maskz_loadu_ps(mask, product->bias + k));
  if (GELU) x = gelu(x);
  store(x, product->out + token * product->outputs + k, mask);
}

INLINE void multiply(const Product *product, int64_t token, int64_t k, const int COUNT, const int WIDE, const int GELU) {
  int64_t inputs = product->inputs;
  const uint8_t *rows = product->rows + token * inputs;
  const int8_t *weight = product->weight + k * inputs;
  __m512i sums[ROWS][VECTORS];
#pragma GCC unroll 8
  for (int i = 0; i < COUNT; i++)
#pragma GCC unroll 8
    for (int v = 0; v < WIDE; v++) sums[i][v] = _mm512_loadu_si512(product->starts + k + v * LANES);
  for (int64_t n = 0; n < inputs; n += 4) {
    __m512i columns[VECTORS];
#pragma GCC unroll 8
    for (int v = 0; v < WIDE; v++) columns[v] = _mm512_loadu_si512(weight + (v * inputs + n) * LANES);
#pragma GCC unroll 8
    for (int i = 0; i < COUNT; i++) {
      __m512i row = _mm512_set1_epi32(*(const int32_t *)(rows + i * inputs + n));
#pragma GCC unroll 8
      for (int v = 0; v < WIDE; v++) sums[i][v] = _mm512_dpbusd_epi32(sums[i][v], row, columns[v]);
    }
  }
  int32_t kept[ROWS][VECTORS * LANES]; /* writing from the registers would make the compiler spill them in the loop */
#pragma GCC unroll 8
  for (int i = 0; i < COUNT; i++)
#pragma GCC unroll 8
    for (int v = 0; v < WIDE; v++) _mm512_storeu_si512(kept[i] + v * LANES, sums[i][v]);
  for (int i = 0; i < COUNT; i++)
    for (int v = 0; v < WIDE; v++) write(product, token + i, k + v * LANES, _mm512_loadu_si512(kept[i] + v * LANES), GELU);
}

INLINE void multiply_columns(const Product *product, int64_t from, int64_t to, int64_t k, const int WIDE, const int GELU) {
  int64_t token = from;
  for (; token + ROWS <= to; token += ROWS) multiply(product, token, k, ROWS, WIDE, GELU);
  for (; token < to; token++) multiply(product, token, k, 1, WIDE, GELU);
}

INLINE void multiply_all(const Product *product, int64_t from, int64_t to, const int GELU) {
  for (int64_t start = from; start < to; start += CHUNK) {
    int64_t end = start + CHUNK < to ? start + CHUNK : to, k = 0;
    for (; k + VECTORS * LANES <= product->outputs; k += VECTORS * LANES) multiply_columns(product, start, end, k, VECTORS, GELU);
    for (; k + 2 * LANES <= product->outputs; k += 2 * LANES) multiply_columns(product, start, end, k, 2, GELU);
    for (; k < product->outputs; k += LANES) multiply_columns(product, start, end, k, 1, GELU);
  }
}

/* Multiply the tokens number `from` to `to`. */
__attribute__((target(UNITS))) int peftide_multiply(const Product *product, int64_t from, int64_t to) {
  if (product->gelu) multiply_all(product, from, to, 1);
  else multiply_all(product, from, to, 0);
  return 0;
}

/* The same for tokens whose sums are there already. */
__attribute__((target(UNITS))) int peftide_finish(const Product *product, int64_t from, int64_t to) {
  int64_t outputs = product->outputs;
  for (int64_t token = from; token < to; token++)
    for (int64_t k = 0; k < outputs; k += LANES) {
      __m512i sums = _mm512_maskz_loadu_epi32(first(outputs - k), product->sums + token * outputs + k);
      if (product->gelu) write(product, token, k, sums, 1);
      else write(product, token, k, sums, 0);
    }
  return 0;
}
