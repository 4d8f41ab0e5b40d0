# ./dev bench gateway [OPTIONS]: latency that the gateway adds to each chunk of 200 streams. ./dev bench [FILTER]: the kernels, by Google Benchmark. Comparisons with other engines and whole-model figures come with the issue on speed.
cmd_bench() {
  source tools/dev/build.sh
  source tools/dev/setup.sh
  cmd_setup
  if [ "${1:-}" = gateway ]; then
    build_preset release bench_gateway
    build/bin/bench_gateway "${@:2}"
    return
  fi
  build_preset release bench_kernels
  build/bin/bench_kernels ${1:+--benchmark_filter="$1"}
}
