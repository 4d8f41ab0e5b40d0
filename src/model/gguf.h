// Reader of GGUF files (versions 2 and 3, little-endian): the metadata and the table of tensors,
// and each tensor's bytes on request. A file is foreign: it may be cut, corrupt or hostile. Every
// count and length is bounded before memory is taken for it, and an error names the key or tensor
// and the offset in the file, never the content. Nothing is ever mapped: bytes are copied into
// private memory by pread, so that what was hashed is what is computed with. Source:
// github.com/ggml-org/ggml/blob/master/docs/gguf.md; our shard files: docs/formats/gguf-shards.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "ops/dtype.h"

namespace teetee::model {

// The value types of GGUF metadata, with their ids in the file.
enum class GgufType : uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
};
std::string_view GgufTypeName(GgufType type);  // "u32"

// Bounds on what a file may claim.
struct GgufLimits {
  static constexpr uint64_t kMaxHeaderBytes = 64u << 20;  // header, metadata and tensor table
  static constexpr uint64_t kMaxKeys = 1u << 14;
  static constexpr uint64_t kMaxTensors = 1u << 16;
  static constexpr uint64_t kMaxKeyBytes = 256;
  static constexpr uint64_t kMaxTensorNameBytes = 64;
  static constexpr uint32_t kMaxDims = 4;
  static constexpr uint64_t kMaxAlignment = 1u << 16;
  static constexpr uint64_t kMaxElements = uint64_t{1} << 40;  // of one tensor
};

// The metadata of one file: typed access by key. Values stay encoded as in the file until they are
// asked for. Thread-safe once made (it never changes). Getters return kNotFound for an absent key
// and kInvalidArgument for a value of another type or out of range, both with the key. Integers are
// accepted from any width in which they fit.
class GgufMetadata {
 public:
  struct Entry {
    std::string key;
    GgufType type;          // kArray for arrays
    GgufType element_type;  // of the elements of an array, else equal to type
    uint64_t count;         // elements of an array, else 1
    size_t begin;  // of the encoded value (for an array: of its first element) in the header
    size_t size;   // bytes of it
  };

  bool Has(std::string_view key) const { return Find(key) != nullptr; }
  const std::vector<Entry>& entries() const { return entries_; }  // in the order of the file
  const Entry* Find(std::string_view key) const;                  // nullptr when absent
  ByteView EncodedValue(const Entry& entry) const;                // view into this object

  Result<uint32_t> GetU32(std::string_view key) const;
  Result<uint64_t> GetU64(std::string_view key) const;
  Result<int64_t> GetI64(std::string_view key) const;
  Result<float> GetF32(std::string_view key) const;  // f32, or f64 that rounds to a finite f32
  Result<bool> GetBool(std::string_view key) const;
  Result<std::string> GetString(std::string_view key) const;
  // Views into this object: valid as long as it lives and is not moved.
  Result<std::vector<std::string_view>> GetStringArray(std::string_view key) const;
  Result<std::vector<float>> GetF32Array(std::string_view key) const;
  Result<std::vector<int64_t>> GetI64Array(std::string_view key) const;

  // The default stands in for an absent key only; a value of another type is still an error.
  Result<uint32_t> GetU32Or(std::string_view key, uint32_t otherwise) const;
  Result<float> GetF32Or(std::string_view key, float otherwise) const;
  Result<bool> GetBoolOr(std::string_view key, bool otherwise) const;
  Result<std::string> GetStringOr(std::string_view key, std::string_view otherwise) const;

 private:
  friend class GgufParser;
  Result<const Entry*> Require(std::string_view key) const;
  Result<const Entry*> RequireArray(std::string_view key) const;

  Bytes header_;
  std::vector<Entry> entries_;
  std::vector<uint32_t> by_key_;  // indices into entries_, sorted by key
};

// One row of the table of tensors.
struct TensorInfo {
  std::string name;
  ops::DType dtype;
  std::vector<uint64_t>
      dims;  // GGUF order: dims[0] is contiguous in memory (the columns); 1 to 4 of them, none 0
  uint64_t offset;  // from the start of the file
  uint64_t bytes;

  uint64_t columns() const { return dims[0]; }
  uint64_t rows() const;  // product of the others
};
std::string ShapeText(std::span<const uint64_t> dims);  // "(576, 49152)"

// An open file. Move-only; reading is thread-safe (pread).
class GgufFile {
 public:
  // Reads header, metadata and tensor table only. kNotFound/kUnavailable: the file cannot be opened
  // or read. kInvalidArgument: not a GGUF file, or one that contradicts itself. kDataLoss: it ends
  // too early. kUnimplemented: version, byte order or tensor type that we do not read.
  // kResourceExhausted: beyond GgufLimits.
  static Result<GgufFile> Open(const std::string& path);
  // The same over a whole file in memory (tests, fuzzing).
  static Result<GgufFile> Parse(Bytes file);

  GgufFile(GgufFile&& other) noexcept;
  GgufFile& operator=(GgufFile&& other) noexcept;
  ~GgufFile();

  const GgufMetadata& metadata() const { return metadata_; }
  const std::vector<TensorInfo>& tensors() const { return tensors_; }  // in the order of the file
  Result<const TensorInfo*> FindTensor(
      std::string_view name) const;  // kNotFound; valid while this is not moved
  uint32_t version() const { return version_; }
  uint32_t alignment() const { return alignment_; }
  uint64_t file_bytes() const { return file_bytes_; }

  // Copies the tensor's bytes out of the file into private memory, reading each exactly once.
  // kDataLoss: the file became shorter. Whoever trusts the result hashes these very bytes and
  // computes from them; a second call may see other bytes.
  Result<Bytes> ReadTensor(const TensorInfo& tensor) const;
  // A piece of it, for passes with bounded memory. REQUIRES begin + out.size() <= tensor.bytes.
  Status ReadTensorPart(const TensorInfo& tensor, uint64_t begin, std::span<uint8_t> out) const;

 private:
  friend class GgufParser;
  GgufFile() = default;
  Status Pread(uint64_t offset, std::span<uint8_t> out) const;

  int fd_ = -1;      // or, after Parse:
  Bytes in_memory_;  // the whole file
  uint64_t file_bytes_ = 0;
  uint32_t version_ = 0;
  uint32_t alignment_ = 32;
  GgufMetadata metadata_;
  std::vector<TensorInfo> tensors_;
  std::vector<uint32_t> by_name_;  // indices into tensors_, sorted by name
};

}  // namespace teetee::model
