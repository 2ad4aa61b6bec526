/* The steps between the matrix products of a layer, each in one pass over memory, for CPUs with AVX-512:
   total = hidden + added, and the layer norm of total, rounded to bf16. halves.c comes before. */

typedef struct {
  const float *hidden;        /* tokens x width */
  const uint16_t *added;      /* bf16: tokens x width, or NULL */
  float *total;               /* tokens x width; may be `hidden`; not written without `added` */
  const float *weight, *bias; /* width */
  uint16_t *normed;           /* bf16: tokens x width, or NULL */
  int64_t width;
  float epsilon;
} Passes;

ON_VECTORS __m512 numbers(const float *from, int64_t k, int64_t width) { return _mm512_maskz_loadu_ps(first(width - k), from + k); }

/* Add to one token; returns where its sums are. */
ON_VECTORS const float *add(const Passes *passes, int64_t token) {
  int64_t width = passes->width;
  const float *hidden = passes->hidden + token * width;
  if (!passes->added) return hidden;
  const uint16_t *added = passes->added + token * width;
  float *total = passes->total + token * width;
  for (int64_t k = 0; k < width; k += LANES) {
    __mmask16 mask = first(width - k);
    _mm512_mask_storeu_ps(total + k, mask, _mm512_add_ps(numbers(hidden, k, width), to_float(widen(added + k, mask))));
  }
  return total;
}

ON_VECTORS void norm(const Passes *passes, const float *total, uint16_t *normed) {
  int64_t width = passes->width;
  __m512 sum = _mm512_setzero_ps(), squares = sum;
  for (int64_t k = 0; k < width; k += LANES) sum = _mm512_add_ps(sum, numbers(total, k, width));
  __m512 mean = _mm512_set1_ps(_mm512_reduce_add_ps(sum) / (float)width);
  for (int64_t k = 0; k < width; k += LANES) {
    __m512 rest = _mm512_maskz_sub_ps(first(width - k), numbers(total, k, width), mean);
    squares = _mm512_fmadd_ps(rest, rest, squares);
  }
  float variance = _mm512_reduce_add_ps(squares) / (float)width;
  __m512 scale = _mm512_set1_ps(1.0f / _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(variance + passes->epsilon))));
  for (int64_t k = 0; k < width; k += LANES) {
    __m512 rest = _mm512_mul_ps(_mm512_sub_ps(numbers(total, k, width), mean), scale);
    __m512 shifted = _mm512_fmadd_ps(rest, numbers(passes->weight, k, width), numbers(passes->bias, k, width));
    store(shifted, normed + k, first(width - k));
  }
}

/* Do it for the tokens number `from` to `to`. */
__attribute__((target(VECTOR_UNITS))) int peftide_pass(const Passes *passes, int64_t from, int64_t to) {
  for (int64_t token = from; token < to; token++) {
    const float *total = add(passes, token);
    if (passes->normed) norm(passes, total, passes->normed + token * passes->width);
  }
  return 0;
}
