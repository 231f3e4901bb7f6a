"""`docs/benchmarks.md`, from the result files in `scripts/benchmark/results`.

- `sections`: what the page tells, in order.
- `render`: a result file as Markdown.
- `curves`: drawings, byte for byte the same for the same result.
- `pages`: the page with its drawings, and whether what lies in `docs` is still that.
"""
