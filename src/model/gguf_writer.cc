#include "model/gguf_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace teetee::model {
namespace {

constexpr uint64_t kPiece = 4u << 20;

uint64_t Padding(uint64_t size) {
  return (GgufWriter::kAlignment - size % GgufWriter::kAlignment) % GgufWriter::kAlignment;
}

void PutString(ByteWriter& out, std::string_view text) { out.U64Le(text.size()).Raw(text); }

Error FromErrno(const std::string& what) {
  return Error(Code::kUnavailable, what + ": " + std::strerror(errno));
}

// A file that becomes visible under its name only when complete.
class PartFile {
 public:
  explicit PartFile(std::string path) : path_(std::move(path)), part_(path_ + ".tmp") {
    ::unlink(part_.c_str());
    fd_ = ::open(part_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  }
  ~PartFile() {
    if (fd_ < 0) return;
    ::close(fd_);
    ::unlink(part_.c_str());
  }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  Status Append(ByteView bytes) {
    if (fd_ < 0) return FromErrno("create " + part_);
    while (!bytes.empty()) {
      ssize_t n = ::write(fd_, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return FromErrno("write " + part_);
      bytes = bytes.subspan(static_cast<size_t>(n));
    }
    return Ok{};
  }

  Status Finish() {
    if (::fsync(fd_) != 0) return FromErrno("sync " + part_);
    if (::rename(part_.c_str(), path_.c_str()) != 0) return FromErrno("rename " + part_);
    ::close(fd_);
    fd_ = -1;
    return Ok{};
  }

 private:
  std::string path_;
  std::string part_;
  int fd_ = -1;
};

}  // namespace

ByteWriter& GgufWriter::Key(std::string_view key, GgufType type) {
  ++n_keys_;
  PutString(metadata_, key);
  return metadata_.U32Le(static_cast<uint32_t>(type));
}

GgufWriter& GgufWriter::SetU32(std::string_view key, uint32_t v) {
  Key(key, GgufType::kU32).U32Le(v);
  return *this;
}

GgufWriter& GgufWriter::SetF32(std::string_view key, float v) {
  Key(key, GgufType::kF32).F32Le(v);
  return *this;
}

GgufWriter& GgufWriter::SetBool(std::string_view key, bool v) {
  Key(key, GgufType::kBool).U8(v ? 1 : 0);
  return *this;
}

GgufWriter& GgufWriter::SetString(std::string_view key, std::string_view v) {
  PutString(Key(key, GgufType::kString), v);
  return *this;
}

GgufWriter& GgufWriter::SetStringArray(std::string_view key, std::span<const std::string> v) {
  Key(key, GgufType::kArray).U32Le(static_cast<uint32_t>(GgufType::kString)).U64Le(v.size());
  for (const std::string& text : v) PutString(metadata_, text);
  return *this;
}

GgufWriter& GgufWriter::SetF32Array(std::string_view key, std::span<const float> v) {
  Key(key, GgufType::kArray).U32Le(static_cast<uint32_t>(GgufType::kF32)).U64Le(v.size());
  for (float x : v) metadata_.F32Le(x);
  return *this;
}

GgufWriter& GgufWriter::SetI32Array(std::string_view key, std::span<const int32_t> v) {
  Key(key, GgufType::kArray).U32Le(static_cast<uint32_t>(GgufType::kI32)).U64Le(v.size());
  for (int32_t x : v) metadata_.U32Le(static_cast<uint32_t>(x));
  return *this;
}

GgufWriter& GgufWriter::Copy(const GgufMetadata& from, const GgufMetadata::Entry& entry) {
  ByteWriter& out = Key(entry.key, entry.type);
  if (entry.type == GgufType::kArray) {
    out.U32Le(static_cast<uint32_t>(entry.element_type)).U64Le(entry.count);
  }
  out.Raw(from.EncodedValue(entry));
  return *this;
}

Status GgufWriter::AddTensor(std::string name, ops::DType dtype, std::vector<uint64_t> dims) {
  TensorInfo tensor{std::move(name), dtype, std::move(dims), data_bytes_, 0};
  tensor.bytes = TT_TRY(ops::RowBytes(dtype, tensor.columns())) * tensor.rows();
  data_bytes_ += tensor.bytes + Padding(tensor.bytes);
  tensors_.push_back(std::move(tensor));
  return Ok{};
}

Bytes GgufWriter::Header() const {
  ByteWriter out;
  out.Raw("GGUF").U32Le(3).U64Le(tensors_.size()).U64Le(n_keys_).Raw(metadata_.bytes());
  for (const TensorInfo& tensor : tensors_) {
    PutString(out, tensor.name);
    out.U32Le(static_cast<uint32_t>(tensor.dims.size()));
    for (uint64_t dim : tensor.dims) out.U64Le(dim);
    out.U32Le(static_cast<uint32_t>(tensor.dtype)).U64Le(tensor.offset);
  }
  return out.Zeros(Padding(out.size())).Take();
}

Status GgufWriter::Write(const Source& source, const Sink& sink) const {
  TT_RETURN_IF_ERROR(sink(Header()));
  Bytes piece;
  for (const TensorInfo& tensor : tensors_) {
    for (uint64_t begin = 0; begin < tensor.bytes; begin += piece.size()) {
      piece.resize(std::min(kPiece, tensor.bytes - begin));
      TT_RETURN_IF_ERROR(source(tensor, begin, piece));
      TT_RETURN_IF_ERROR(sink(piece));
    }
    TT_RETURN_IF_ERROR(sink(Bytes(Padding(tensor.bytes))));
  }
  return Ok{};
}

Status GgufWriter::WriteFile(const std::string& path, const Source& source,
                             const Sink& also) const {
  PartFile file(path);
  auto sink = [&](ByteView piece) -> Status {
    if (also) TT_RETURN_IF_ERROR(also(piece));
    return file.Append(piece);
  };
  TT_RETURN_IF_ERROR(Write(source, sink));
  return file.Finish();
}

}  // namespace teetee::model
