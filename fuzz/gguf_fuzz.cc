// The GGUF reader, then everything that reads its metadata: the typed getters, the configuration,
// the list of tensors.
#include <cstdint>

#include "model/config.h"
#include "model/gguf.h"

using namespace teetee;

namespace {

void ReadEveryKey(const model::GgufMetadata& metadata) {
  for (const auto& entry : metadata.entries()) {
    (void)metadata.GetU32(entry.key);
    (void)metadata.GetI64(entry.key);
    (void)metadata.GetF32(entry.key);
    (void)metadata.GetBool(entry.key);
    (void)metadata.GetString(entry.key);
    (void)metadata.GetStringArray(entry.key);
    (void)metadata.GetF32Array(entry.key);
    (void)metadata.GetI64Array(entry.key);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto file = model::GgufFile::Parse(Bytes(data, data + size));
  if (!file) return 0;
  ReadEveryKey(file->metadata());
  for (const auto& tensor : file->tensors()) {
    auto bytes = file->ReadTensor(tensor);
    if (!bytes || bytes->size() != tensor.bytes) __builtin_trap();
  }
  auto config = model::ModelConfig::From(*file);
  if (!config) return 0;
  if (auto range = model::RangeOf(*file, *config))
    (void)model::CheckTensors(*file, *config, *range);
  return 0;
}
