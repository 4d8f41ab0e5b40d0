#include "model/gguf_parser.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace teetee::model {
namespace {

Error Bad(std::string what) { return Error(Code::kInvalidArgument, std::move(what)); }

Error TooMany(std::string_view what, uint64_t found, uint64_t limit) {
  return Error(Code::kResourceExhausted, std::to_string(found) + " " + std::string(what) +
                                             ", limit " + std::to_string(limit));
}

// Keys and tensor names are ASCII in the specification; refusing the rest keeps them safe to print.
bool IsPrintable(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

Result<uint64_t> Elements(const std::vector<uint64_t>& dims) {
  uint64_t elements = 1;
  for (uint64_t dim : dims) {
    if (dim == 0) return Bad("a dimension is 0");
    if (dim > GgufLimits::kMaxElements / elements) {
      return Error(Code::kResourceExhausted, "too many elements");
    }
    elements *= dim;
  }
  return elements;
}

}  // namespace

GgufParser::GgufParser(Bytes window, uint64_t file_bytes)
    : window_(std::move(window)), file_bytes_(file_bytes), reader_(window_) {}

Error GgufParser::Short() {
  needs_more_ = window_.size() < file_bytes_;
  if (needs_more_) {
    return Error(Code::kResourceExhausted, "metadata and tensor table of more than " +
                                               std::to_string(window_.size()) + " bytes");
  }
  return Error(Code::kDataLoss,
               "the file ends at offset " + std::to_string(file_bytes_) + ", inside its header");
}

Result<uint32_t> GgufParser::U32() {
  if (reader_.remaining() < 4) return Short();
  return reader_.U32Le();
}

Result<uint64_t> GgufParser::U64() {
  if (reader_.remaining() < 8) return Short();
  return reader_.U64Le();
}

Status GgufParser::Skip(uint64_t bytes) {
  if (reader_.remaining() < bytes) return Short();
  return reader_.Skip(bytes);
}

Status GgufParser::Parse(GgufFile& file) {
  TT_RETURN_IF_ERROR(ParseFixedPart(file));
  TT_RETURN_IF_ERROR(ParseMetadata(keys_));
  file.alignment_ = TT_TRY(ReadAlignment());
  file.tensors_.clear();
  TT_RETURN_IF_ERROR(ParseTensors(file, tensors_));
  TT_RETURN_IF_ERROR(IndexTensors(file));
  TT_RETURN_IF_ERROR(Place(file));
  metadata_.header_ = std::move(window_);
  metadata_.header_.resize(reader_.position());
  file.metadata_ = std::move(metadata_);
  return Ok{};
}

Status GgufParser::ParseFixedPart(GgufFile& file) {
  if (window_.size() < 4 || AsText(TT_TRY(reader_.View(4))) != "GGUF")
    return Bad("not a GGUF file");
  file.version_ = TT_TRY(U32());
  if (std::min(file.version_, __builtin_bswap32(file.version_)) != file.version_) {
    return Error(Code::kUnimplemented, "big-endian GGUF files are not supported");
  }
  if (file.version_ < 2 || file.version_ > 3) {
    return Error(Code::kUnimplemented, "GGUF version " + std::to_string(file.version_) +
                                           "; versions 2 and 3 are supported");
  }
  tensors_ = TT_TRY(U64());
  keys_ = TT_TRY(U64());
  if (tensors_ > GgufLimits::kMaxTensors)
    return TooMany("tensors", tensors_, GgufLimits::kMaxTensors);
  if (keys_ > GgufLimits::kMaxKeys) return TooMany("metadata keys", keys_, GgufLimits::kMaxKeys);
  return Ok{};
}

Result<std::string> GgufParser::ReadName(std::string_view what, uint64_t max_bytes) {
  const std::string where = std::string(what) + " at offset " + std::to_string(reader_.position());
  uint64_t size = TT_TRY(U64());
  if (size == 0 || size > max_bytes) {
    return Bad(where + ": a name of " + std::to_string(size) + " bytes, wanted 1 to " +
               std::to_string(max_bytes));
  }
  if (reader_.remaining() < size) return Short();
  std::string name(AsText(TT_TRY(reader_.View(size))));
  if (!IsPrintable(name)) return Bad(where + ": a name that is not printable ASCII");
  return name;
}

Status GgufParser::ParseMetadata(uint64_t keys) {
  for (uint64_t i = 0; i < keys; ++i) TT_RETURN_IF_ERROR(ParseEntry(i));
  return IndexKeys();
}

Status GgufParser::ParseEntry(uint64_t index) {
  std::string key =
      TT_TRY(ReadName("metadata key " + std::to_string(index), GgufLimits::kMaxKeyBytes));
  const size_t at = reader_.position();
  auto type = static_cast<GgufType>(TT_TRY(U32()));
  auto value = SkipValue(type);
  if (!value) {
    return std::move(value).error().Context("metadata key '" + key + "' at offset " +
                                            std::to_string(at));
  }
  metadata_.entries_.push_back({std::move(key), type, value->element_type, value->count,
                                value->begin, reader_.position() - value->begin});
  return Ok{};
}

Result<GgufParser::Value> GgufParser::SkipValue(GgufType type) {
  Value value{type, 1, reader_.position()};
  if (type == GgufType::kArray) {
    value.element_type = static_cast<GgufType>(TT_TRY(U32()));
    if (value.element_type == GgufType::kArray) {
      return Error(Code::kUnimplemented, "arrays of arrays are not supported");
    }
    value.count = TT_TRY(U64());
    value.begin = reader_.position();
  }
  TT_RETURN_IF_ERROR(SkipElements(value.element_type, value.count));
  return value;
}

Status GgufParser::SkipElements(GgufType type, uint64_t count) {
  if (type == GgufType::kString) {
    if (count > GgufLimits::kMaxHeaderBytes / 8) {
      return TooMany("elements", count, GgufLimits::kMaxHeaderBytes / 8);
    }
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t size = TT_TRY(U64());
      TT_RETURN_IF_ERROR(Skip(size));
    }
    return Ok{};
  }
  const uint64_t width = GgufScalarBytes(type);
  if (width == 0) {
    return Bad("unknown value type " + std::to_string(static_cast<uint32_t>(type)));
  }
  if (count > GgufLimits::kMaxHeaderBytes / width) {
    return TooMany("elements", count, GgufLimits::kMaxHeaderBytes / width);
  }
  return Skip(count * width);
}

Status GgufParser::IndexKeys() {
  const auto& entries = metadata_.entries_;
  auto& order = metadata_.by_key_;
  order.resize(entries.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(),
            [&](uint32_t a, uint32_t b) { return entries[a].key < entries[b].key; });
  auto twice = std::adjacent_find(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return entries[a].key == entries[b].key;
  });
  if (twice != order.end()) return Bad("metadata key '" + entries[*twice].key + "' stands twice");
  return Ok{};
}

Result<uint32_t> GgufParser::ReadAlignment() const {
  const GgufMetadata::Entry* entry = metadata_.Find("general.alignment");
  if (!entry) return 32u;
  if (entry->type != GgufType::kU32) return Bad("metadata key 'general.alignment': expected u32");
  ByteReader reader(ByteView(window_).subspan(entry->begin, entry->size));
  uint32_t alignment = TT_TRY(reader.U32Le());
  if (!std::has_single_bit(alignment) || alignment > GgufLimits::kMaxAlignment) {
    return Bad("metadata key 'general.alignment': " + std::to_string(alignment) +
               " is not a power of two up to " + std::to_string(GgufLimits::kMaxAlignment));
  }
  return alignment;
}

Status GgufParser::ParseTensors(GgufFile& file, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) {
    std::string name =
        TT_TRY(ReadName("tensor " + std::to_string(i), GgufLimits::kMaxTensorNameBytes));
    auto tensor = ParseTensor(file.alignment_);
    if (!tensor) return std::move(tensor).error().Context("tensor " + name);
    tensor->name = std::move(name);
    file.tensors_.push_back(*std::move(tensor));
  }
  return Ok{};
}

Result<TensorInfo> GgufParser::ParseTensor(uint32_t alignment) {
  TensorInfo tensor;
  uint32_t n_dims = TT_TRY(U32());
  if (n_dims == 0 || n_dims > GgufLimits::kMaxDims) {
    return Bad(std::to_string(n_dims) + " dimensions, wanted 1 to 4");
  }
  for (uint32_t i = 0; i < n_dims; ++i) tensor.dims.push_back(TT_TRY(U64()));
  uint64_t elements = TT_TRY(Elements(tensor.dims));
  const uint32_t type = TT_TRY(U32());
  tensor.dtype = TT_TRY(ops::DTypeFromGguf(type));
  uint64_t row_bytes = TT_TRY(ops::RowBytes(tensor.dtype, tensor.dims[0]));
  tensor.bytes = elements / tensor.dims[0] * row_bytes;  // under kMaxElements * 8
  tensor.offset = TT_TRY(U64());                         // Place() makes it absolute
  if (tensor.offset % alignment != 0) {
    return Bad("offset " + std::to_string(tensor.offset) + " is not a multiple of " +
               std::to_string(alignment));
  }
  return tensor;
}

Status GgufParser::IndexTensors(GgufFile& file) {
  const auto& tensors = file.tensors_;
  auto& order = file.by_name_;
  order.resize(tensors.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(),
            [&](uint32_t a, uint32_t b) { return tensors[a].name < tensors[b].name; });
  auto twice = std::adjacent_find(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return tensors[a].name == tensors[b].name;
  });
  if (twice != order.end()) return Bad("tensor " + tensors[*twice].name + " stands twice");
  return Ok{};
}

// Makes offsets absolute, and refuses tensors outside the file or over one another.
Status GgufParser::Place(GgufFile& file) {
  const uint64_t align = file.alignment_;
  const uint64_t data = (reader_.position() + align - 1) / align * align;
  std::vector<const TensorInfo*> order;
  for (TensorInfo& tensor : file.tensors_) {
    if (data > file_bytes_ || tensor.offset > file_bytes_ - data ||
        tensor.bytes > file_bytes_ - data - tensor.offset) {
      return Error(Code::kDataLoss, "tensor " + tensor.name + ": " + std::to_string(tensor.bytes) +
                                        " bytes at data offset " + std::to_string(tensor.offset) +
                                        " lie beyond the end of the file at " +
                                        std::to_string(file_bytes_));
    }
    tensor.offset += data;
    order.push_back(&tensor);
  }
  std::sort(order.begin(), order.end(), [](auto* a, auto* b) { return a->offset < b->offset; });
  for (size_t i = 1; i < order.size(); ++i) {
    if (order[i]->offset - order[i - 1]->offset < order[i - 1]->bytes) {
      return Bad("tensors " + order[i - 1]->name + " and " + order[i]->name + " overlap");
    }
  }
  return Ok{};
}

}  // namespace teetee::model
