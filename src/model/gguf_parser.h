// The parser behind GgufFile::Open and Parse (private to this module).
#pragma once

#include "model/gguf.h"

namespace teetee::model {

size_t GgufScalarBytes(GgufType type);  // 0 for strings, arrays and unknown types

// Parses one window: the first bytes of a file. When the window ends before the header does,
// needs_more() is true and a longer window may succeed.
class GgufParser {
 public:
  GgufParser(Bytes window, uint64_t file_bytes);
  // Fills everything but the descriptor and the bytes of a file in memory.
  Status Parse(GgufFile& file);
  bool needs_more() const { return needs_more_; }

 private:
  struct Value {
    GgufType element_type;
    uint64_t count;
    size_t begin;
  };
  Status ParseFixedPart(GgufFile& file);
  Status ParseMetadata(uint64_t keys);
  Status ParseEntry(uint64_t index);
  Result<Value> SkipValue(GgufType type);
  Status SkipElements(GgufType type, uint64_t count);
  Result<std::string> ReadName(std::string_view what, uint64_t max_bytes);
  Result<uint32_t> ReadAlignment() const;
  Status ParseTensors(GgufFile& file, uint64_t count);
  Result<TensorInfo> ParseTensor(uint32_t alignment);
  Status Place(GgufFile& file);
  Status IndexKeys();
  Status IndexTensors(GgufFile& file);

  Result<uint32_t> U32();
  Result<uint64_t> U64();
  Status Skip(uint64_t bytes);
  Error Short();

  Bytes window_;
  uint64_t file_bytes_;
  ByteReader reader_;
  bool needs_more_ = false;
  uint64_t keys_ = 0;
  uint64_t tensors_ = 0;
  GgufMetadata metadata_;
};

}  // namespace teetee::model
