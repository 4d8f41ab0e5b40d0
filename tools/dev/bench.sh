# ./dev bench [NAME]: measurements. Run them on an otherwise quiet machine; docs/design/0007-bench.md says what the figures mean.
#   (nothing)             teetee bench on the default model
#   kernels [FILTER]      the kernels, by Google Benchmark
#   peers [OPTIONS]       against llama.cpp, which is built for this machine; options of `tools/bench/peers.py run`
#   agreement [TEXT]      next tokens and divergence against llama.cpp
#   stages                two stages against one process
#   gateway [OPTIONS]     latency that the gateway adds to each chunk of 200 streams
#   busy                  a decode beside a thread that loops
#   start                 how soon a node serves 1.1 GB, and its memory
# TEETEE_BINARY names another build to measure than the one in build/.

PEER_VENV=$CACHE/peer-venv

# In the Python of the peer's environment. -B: no __pycache__ in the tree.
peer_python() { "$PEER_VENV/bin/python" -B "$@"; }

# Builds llama-cpp-python from its source package; a line of progress every half minute.
setup_peer() {
  stamp_matches "$PEER_VENV/.stamp" tools/bench/requirements.txt && return 0
  [ -x "$PEER_VENV/bin/python" ] || run_quiet "python venv for the other engine" python3 -m venv "$PEER_VENV"
  say "  building $(grep '^llama' tools/bench/requirements.txt) with -march=native (ten minutes or more on two cores) ..."
  local log=$PEER_VENV/build.log pid started=$SECONDS
  # Where there is AMX, g++ 12 drops most of the other engine's tile configuration as dead stores: it would end in SIGILL.
  CXXFLAGS="$(! grep -qsw amx_int8 /proc/cpuinfo || echo "-fno-dse -fno-tree-dse")" \
    CMAKE_BUILD_PARALLEL_LEVEL=$(jobs_count) CMAKE_ARGS="-DGGML_NATIVE=ON -DLLAVA_BUILD=OFF" \
    "$PEER_VENV/bin/pip" install --disable-pip-version-check -v --no-binary llama-cpp-python \
    -r tools/bench/requirements.txt >"$log" 2>&1 </dev/null &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    sleep 1
    [ $(((SECONDS - started) % 30)) = 0 ] && say "    $((SECONDS - started))s $(grep -o '^ *\[[0-9]*/[0-9]*\]' "$log" | tail -n 1)"
  done
  wait "$pid" || { tail -n 40 "$log" >&2; die "the other engine could not be built; the whole log is in $log"; }
  stamp_write "$PEER_VENV/.stamp" tools/bench/requirements.txt
}

bench_default() { build/bin/teetee bench -m "$(python3 tools/fetch_model.py)" "$@"; }

bench_kernels() {
  build_preset release bench_kernels
  build/bin/bench_kernels ${1:+--benchmark_filter="$1"}
}

bench_peers() {
  setup_peer
  peer_python tools/bench/peers.py models
  peer_python tools/bench/peers.py run "$@"
  peer_python tools/bench/peers.py report
}

bench_agreement() {
  setup_peer
  local text=${1:-${TEETEE_SHARED:-../shared}/models/text/wiki.test.raw}
  [ -f "$text" ] || text=LICENSE
  peer_python tools/bench/agreement.py "$text"
}

bench_stages() {
  setup_peer
  peer_python tools/bench/peers.py models
  peer_python tools/bench/stages.py "$@"
}

bench_gateway() {
  build_preset release bench_gateway
  build/bin/bench_gateway "$@"
}

bench_busy() { python3 -B tools/bench/busy.py "$(python3 tools/fetch_model.py)" "$@"; }

bench_start() {
  setup_peer
  peer_python tools/bench/peers.py models
  build_preset release teetee-node
  python3 -B tools/bench/start.py "$CACHE/bench/tinyllama-1.1b-shape-Q8_0.gguf" "$@"
}

cmd_bench() {
  source tools/dev/build.sh
  source tools/dev/setup.sh
  local name=${1:-default}
  case "$name" in default|kernels|peers|agreement|stages|gateway|busy|start) ;; *) die "no bench '$name'; there are: kernels, peers, agreement, stages, gateway, busy, start" ;; esac
  shift $(($# > 0 ? 1 : 0))
  cmd_setup
  case "$name" in kernels|gateway) ;; *) build_preset release teetee ;; esac
  "bench_$name" "$@"
}
