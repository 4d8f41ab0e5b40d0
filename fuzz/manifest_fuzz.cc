// A manifest that parses must be written back to the same bytes.
#include <cstdint>

#include "manifest/manifest.h"

using namespace teetee;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto parsed = manifest::Manifest::Parse({data, size});
  if (!parsed) return 0;
  auto written = parsed->Serialise();
  if (!written || *written != Bytes(data, data + size)) __builtin_trap();
  return 0;
}
