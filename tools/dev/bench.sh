# ./dev bench [FILTER]: the kernels, by Google Benchmark. Comparisons with other engines and whole-model figures come with the issue on speed.
cmd_bench() {
  source tools/dev/build.sh
  source tools/dev/setup.sh
  cmd_setup
  build_preset release bench_kernels
  build/bin/bench_kernels ${1:+--benchmark_filter="$1"}
}
