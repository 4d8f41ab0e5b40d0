// Writer of GGUF version 3 files, little-endian, tensors aligned to 32 bytes. The same calls give
// the same bytes. Source: as gguf.h. One thread.
#pragma once

#include <functional>

#include "model/gguf.h"

namespace teetee::model {

class GgufWriter {
 public:
  static constexpr uint32_t kAlignment = 32;

  // Metadata, written in the order of the calls. REQUIRES: a key that was not set before.
  GgufWriter& SetU32(std::string_view key, uint32_t v);
  GgufWriter& SetF32(std::string_view key, float v);
  GgufWriter& SetBool(std::string_view key, bool v);
  GgufWriter& SetString(std::string_view key, std::string_view v);
  GgufWriter& SetStringArray(std::string_view key, std::span<const std::string> v);
  GgufWriter& SetF32Array(std::string_view key, std::span<const float> v);
  GgufWriter& SetI32Array(std::string_view key, std::span<const int32_t> v);
  // Carries an entry of another file over as it stands there.
  GgufWriter& Copy(const GgufMetadata& from, const GgufMetadata::Entry& entry);

  // The tensors, placed in the order of the calls. kInvalidArgument: rows that are not whole blocks
  // of the type.
  Status AddTensor(std::string name, ops::DType dtype, std::vector<uint64_t> dims);
  const std::vector<TensorInfo>& tensors() const {
    return tensors_;
  }  // offsets count from the data section

  // Gives `out.size()` bytes of a tensor from `begin` on.
  using Source =
      std::function<Status(const TensorInfo& tensor, uint64_t begin, std::span<uint8_t> out)>;
  // Sees every byte of the file once, in order; used to hash what is written.
  using Sink = std::function<Status(ByteView piece)>;
  // Streams the file in pieces of at most 4 MiB.
  Status Write(const Source& source, const Sink& sink) const;
  // Writes PATH.tmp, syncs it, renames it over PATH. `also` may be empty.
  Status WriteFile(const std::string& path, const Source& source, const Sink& also = {}) const;

 private:
  ByteWriter& Key(std::string_view key, GgufType type);
  Bytes Header() const;

  uint64_t n_keys_ = 0;
  ByteWriter metadata_;
  std::vector<TensorInfo> tensors_;
  uint64_t data_bytes_ = 0;
};

}  // namespace teetee::model
