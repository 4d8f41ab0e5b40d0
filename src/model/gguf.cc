#include "model/gguf.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "base/check.h"
#include "model/gguf_parser.h"

namespace teetee::model {
namespace {

constexpr size_t kFirstWindow = 1u << 18;  // bytes; enough for a file without a vocabulary

Error WrongType(std::string_view key, std::string_view wanted, GgufType found) {
  return Error(Code::kInvalidArgument, "metadata key '" + std::string(key) + "': expected " +
                                           std::string(wanted) + ", found " +
                                           std::string(GgufTypeName(found)));
}

Error OutOfRange(std::string_view key, std::string_view wanted) {
  return Error(Code::kInvalidArgument,
               "metadata key '" + std::string(key) + "': does not fit " + std::string(wanted));
}

template <class T>
T LoadLe(ByteView bytes) {
  static_assert(std::endian::native == std::endian::little);
  T v;
  std::memcpy(&v, bytes.data(), sizeof v);
  return v;
}

// An integer of any width. `negative` tells how to read `bits`.
struct Integer {
  uint64_t bits;
  bool negative;
};

Integer FromSigned(int64_t v) { return {static_cast<uint64_t>(v), v < 0}; }

bool IsInteger(GgufType type) {
  return GgufScalarBytes(type) != 0 && type != GgufType::kF32 && type != GgufType::kF64 &&
         type != GgufType::kBool;
}

// REQUIRES IsInteger(type).
Integer LoadInteger(GgufType type, ByteView bytes) {
  switch (type) {
    case GgufType::kU8:
      return {LoadLe<uint8_t>(bytes), false};
    case GgufType::kU16:
      return {LoadLe<uint16_t>(bytes), false};
    case GgufType::kU32:
      return {LoadLe<uint32_t>(bytes), false};
    case GgufType::kU64:
      return {LoadLe<uint64_t>(bytes), false};
    case GgufType::kI8:
      return FromSigned(LoadLe<int8_t>(bytes));
    case GgufType::kI16:
      return FromSigned(LoadLe<int16_t>(bytes));
    case GgufType::kI32:
      return FromSigned(LoadLe<int32_t>(bytes));
    case GgufType::kI64:
      return FromSigned(LoadLe<int64_t>(bytes));
    default:
      break;
  }
  TT_CHECK(false);
}

Error FromErrno(const std::string& what) {
  Code code = errno == ENOENT ? Code::kNotFound : Code::kUnavailable;
  return Error(code, what + ": " + std::strerror(errno));
}

}  // namespace

std::string_view GgufTypeName(GgufType type) {
  static constexpr std::string_view kNames[] = {"u8",  "i8",  "u16",  "i16",    "u32",
                                                "i32", "f32", "bool", "string", "array",
                                                "u64", "i64", "f64"};
  auto id = static_cast<size_t>(type);
  return id < std::size(kNames) ? kNames[id] : "unknown";
}

size_t GgufScalarBytes(GgufType type) {
  switch (type) {
    case GgufType::kU8:
    case GgufType::kI8:
    case GgufType::kBool:
      return 1;
    case GgufType::kU16:
    case GgufType::kI16:
      return 2;
    case GgufType::kU32:
    case GgufType::kI32:
    case GgufType::kF32:
      return 4;
    case GgufType::kU64:
    case GgufType::kI64:
    case GgufType::kF64:
      return 8;
    default:
      return 0;
  }
}

std::string ShapeText(std::span<const uint64_t> dims) {
  std::string out = "(";
  for (size_t i = 0; i < dims.size(); ++i) out += (i ? ", " : "") + std::to_string(dims[i]);
  return out + ")";
}

uint64_t TensorInfo::rows() const {
  return std::accumulate(dims.begin() + 1, dims.end(), uint64_t{1}, std::multiplies<>());
}

// ---- metadata

const GgufMetadata::Entry* GgufMetadata::Find(std::string_view key) const {
  auto it = std::lower_bound(by_key_.begin(), by_key_.end(), key,
                             [&](uint32_t i, std::string_view k) { return entries_[i].key < k; });
  if (it == by_key_.end() || entries_[*it].key != key) return nullptr;
  return &entries_[*it];
}

ByteView GgufMetadata::EncodedValue(const Entry& entry) const {
  return ByteView(header_).subspan(entry.begin, entry.size);
}

Result<const GgufMetadata::Entry*> GgufMetadata::Require(std::string_view key) const {
  const Entry* entry = Find(key);
  if (!entry) return Error(Code::kNotFound, "metadata key '" + std::string(key) + "': missing");
  return entry;
}

Result<const GgufMetadata::Entry*> GgufMetadata::RequireArray(std::string_view key) const {
  const Entry* entry = TT_TRY(Require(key));
  if (entry->type != GgufType::kArray) return WrongType(key, "an array", entry->type);
  return entry;
}

Result<uint64_t> GgufMetadata::GetU64(std::string_view key) const {
  const Entry* entry = TT_TRY(Require(key));
  if (!IsInteger(entry->type)) return WrongType(key, "an integer", entry->type);
  Integer v = LoadInteger(entry->type, EncodedValue(*entry));
  if (v.negative) return OutOfRange(key, "u64");
  return v.bits;
}

Result<uint32_t> GgufMetadata::GetU32(std::string_view key) const {
  uint64_t v = TT_TRY(GetU64(key));
  if (v > std::numeric_limits<uint32_t>::max()) return OutOfRange(key, "u32");
  return static_cast<uint32_t>(v);
}

Result<int64_t> GgufMetadata::GetI64(std::string_view key) const {
  const Entry* entry = TT_TRY(Require(key));
  if (!IsInteger(entry->type)) return WrongType(key, "an integer", entry->type);
  Integer v = LoadInteger(entry->type, EncodedValue(*entry));
  if (!v.negative && v.bits > uint64_t{INT64_MAX}) return OutOfRange(key, "i64");
  return static_cast<int64_t>(v.bits);
}

Result<float> GgufMetadata::GetF32(std::string_view key) const {
  const Entry* entry = TT_TRY(Require(key));
  ByteView bytes = EncodedValue(*entry);
  if (entry->type == GgufType::kF32) return LoadLe<float>(bytes);
  if (entry->type != GgufType::kF64) return WrongType(key, "f32", entry->type);
  double wide = LoadLe<double>(bytes);
  if (!(std::abs(wide) <= double{std::numeric_limits<float>::max()})) return OutOfRange(key, "f32");
  return static_cast<float>(wide);
}

Result<bool> GgufMetadata::GetBool(std::string_view key) const {
  const Entry* entry = TT_TRY(Require(key));
  if (entry->type != GgufType::kBool) return WrongType(key, "bool", entry->type);
  return EncodedValue(*entry)[0] != 0;
}

Result<std::string> GgufMetadata::GetString(std::string_view key) const {
  const Entry* entry = TT_TRY(Require(key));
  if (entry->type != GgufType::kString) return WrongType(key, "string", entry->type);
  return std::string(AsText(EncodedValue(*entry).subspan(8)));
}

Result<std::vector<std::string_view>> GgufMetadata::GetStringArray(std::string_view key) const {
  const Entry* entry = TT_TRY(RequireArray(key));
  if (entry->element_type != GgufType::kString)
    return WrongType(key, "strings", entry->element_type);
  std::vector<std::string_view> out;
  out.reserve(entry->count);  // each took at least 8 bytes of the header
  ByteReader reader(EncodedValue(*entry));
  for (uint64_t i = 0; i < entry->count; ++i) {
    uint64_t size = TT_TRY(reader.U64Le());
    out.push_back(AsText(TT_TRY(reader.View(size))));
  }
  return out;
}

Result<std::vector<float>> GgufMetadata::GetF32Array(std::string_view key) const {
  const Entry* entry = TT_TRY(RequireArray(key));
  if (entry->element_type != GgufType::kF32)
    return WrongType(key, "f32 elements", entry->element_type);
  std::vector<float> out(entry->count);
  if (!out.empty()) std::memcpy(out.data(), EncodedValue(*entry).data(), entry->size);
  return out;
}

Result<std::vector<int64_t>> GgufMetadata::GetI64Array(std::string_view key) const {
  const Entry* entry = TT_TRY(RequireArray(key));
  if (!IsInteger(entry->element_type)) return WrongType(key, "integers", entry->element_type);
  std::vector<int64_t> out;
  out.reserve(entry->count);
  ByteView bytes = EncodedValue(*entry);
  const size_t width = GgufScalarBytes(entry->element_type);
  for (uint64_t i = 0; i < entry->count; ++i) {
    Integer v = LoadInteger(entry->element_type, bytes.subspan(i * width, width));
    if (!v.negative && v.bits > uint64_t{INT64_MAX}) return OutOfRange(key, "i64");
    out.push_back(static_cast<int64_t>(v.bits));
  }
  return out;
}

Result<uint32_t> GgufMetadata::GetU32Or(std::string_view key, uint32_t otherwise) const {
  if (!Has(key)) return otherwise;
  return GetU32(key);
}

Result<float> GgufMetadata::GetF32Or(std::string_view key, float otherwise) const {
  if (!Has(key)) return otherwise;
  return GetF32(key);
}

Result<bool> GgufMetadata::GetBoolOr(std::string_view key, bool otherwise) const {
  if (!Has(key)) return otherwise;
  return GetBool(key);
}

Result<std::string> GgufMetadata::GetStringOr(std::string_view key,
                                              std::string_view otherwise) const {
  if (!Has(key)) return std::string(otherwise);
  return GetString(key);
}

// ---- file

GgufFile::GgufFile(GgufFile&& other) noexcept { *this = std::move(other); }

GgufFile& GgufFile::operator=(GgufFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  in_memory_ = std::move(other.in_memory_);
  file_bytes_ = other.file_bytes_;
  version_ = other.version_;
  alignment_ = other.alignment_;
  metadata_ = std::move(other.metadata_);
  tensors_ = std::move(other.tensors_);
  by_name_ = std::move(other.by_name_);
  return *this;
}

GgufFile::~GgufFile() {
  if (fd_ >= 0) ::close(fd_);
}

Status GgufFile::Pread(uint64_t offset, std::span<uint8_t> out) const {
  if (fd_ < 0) {
    if (offset > in_memory_.size() || out.size() > in_memory_.size() - offset) {
      return Error(Code::kDataLoss,
                   "the file ends before offset " + std::to_string(offset + out.size()));
    }
    std::copy_n(in_memory_.begin() + static_cast<ptrdiff_t>(offset), out.size(), out.begin());
    return Ok{};
  }
  while (!out.empty()) {
    ssize_t n = ::pread(fd_, out.data(), std::min<size_t>(out.size(), 1u << 30),
                        static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FromErrno("read at offset " + std::to_string(offset));
    if (n == 0) return Error(Code::kDataLoss, "the file ends at offset " + std::to_string(offset));
    offset += static_cast<uint64_t>(n);
    out = out.subspan(static_cast<size_t>(n));
  }
  return Ok{};
}

Result<GgufFile> GgufFile::Open(const std::string& path) {
  GgufFile file;
  file.fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file.fd_ < 0) return FromErrno("open " + path);
  struct stat about;
  if (::fstat(file.fd_, &about) != 0) return FromErrno("stat " + path);
  if (!S_ISREG(about.st_mode)) return Error(Code::kInvalidArgument, path + ": not a regular file");
  file.file_bytes_ = static_cast<uint64_t>(about.st_size);

  // How long the header is shows only at its end: read a window, and a longer one while it does not
  // suffice.
  const uint64_t most = std::min(file.file_bytes_, GgufLimits::kMaxHeaderBytes);
  for (uint64_t window = kFirstWindow;; window *= 4) {
    Bytes header(std::min(window, most));
    if (auto read = file.Pread(0, header); !read) return std::move(read).error().Context(path);
    GgufParser parser(std::move(header), file.file_bytes_);
    Status parsed = parser.Parse(file);
    if (parsed) return file;
    if (!parser.needs_more() || window >= most) return std::move(parsed).error().Context(path);
  }
}

Result<GgufFile> GgufFile::Parse(Bytes content) {
  GgufFile file;
  file.file_bytes_ = content.size();
  const size_t header = std::min<uint64_t>(content.size(), GgufLimits::kMaxHeaderBytes);
  GgufParser parser(ToBytes(ByteView(content).first(header)), content.size());
  TT_RETURN_IF_ERROR(parser.Parse(file));
  file.in_memory_ = std::move(content);
  return file;
}

Result<const TensorInfo*> GgufFile::FindTensor(std::string_view name) const {
  auto it = std::lower_bound(by_name_.begin(), by_name_.end(), name,
                             [&](uint32_t i, std::string_view n) { return tensors_[i].name < n; });
  if (it == by_name_.end() || tensors_[*it].name != name) {
    return Error(Code::kNotFound, "tensor '" + std::string(name) + "': missing");
  }
  return &tensors_[*it];
}

Result<Bytes> GgufFile::ReadTensor(const TensorInfo& tensor) const {
  Bytes out(tensor.bytes);  // no more than the file had when it was opened
  TT_RETURN_IF_ERROR(ReadTensorPart(tensor, 0, out));
  return out;
}

Status GgufFile::ReadTensorPart(const TensorInfo& tensor, uint64_t begin,
                                std::span<uint8_t> out) const {
  TT_CHECK(begin <= tensor.bytes && out.size() <= tensor.bytes - begin);
  Status read = Pread(tensor.offset + begin, out);
  if (!read) return std::move(read).error().Context("tensor " + tensor.name);
  return Ok{};
}

}  // namespace teetee::model
