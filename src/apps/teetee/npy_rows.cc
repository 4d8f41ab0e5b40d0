#include "apps/teetee/npy_rows.h"

#include "base/bytes.h"
#include "base/check.h"

namespace teetee::cli {
namespace {

// Magic, version, length and the dictionary, padded so that the data begins at a multiple of 64.
std::string Header(size_t rows, size_t columns) {
  std::string dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(rows) +
                     ", " + std::to_string(columns) + "), }";
  while ((10 + dict.size() + 1) % 64 != 0) dict += ' ';
  dict += '\n';
  const char size[] = {static_cast<char>(dict.size() & 0xff), static_cast<char>(dict.size() >> 8)};
  return std::string("\x93NUMPY\x01\x00", 8) + std::string(size, 2) + dict;
}

}  // namespace

Status NpyRows::Put(const void* data, size_t size) {
  if (std::fwrite(data, 1, size, file_.get()) == size) return Ok{};
  return Error(Code::kUnavailable, path_ + " cannot be written");
}

Status NpyRows::Open(const std::string& path, size_t rows, size_t columns) {
  path_ = path;
  rows_ = rows;
  columns_ = columns;
  file_.reset(std::fopen(path.c_str(), "wb"));
  if (!file_) return Error(Code::kUnavailable, path_ + " cannot be made");
  const std::string header = Header(rows, columns);
  return Put(header.data(), header.size());
}

Status NpyRows::Write(std::span<const float> row) {
  TT_CHECK(file_ != nullptr && row.size() == columns_);
  ByteWriter bytes;
  for (float value : row) bytes.F32Le(value);
  ++written_;
  return Put(bytes.bytes().data(), bytes.bytes().size());
}

Status NpyRows::Close() {
  if (!file_) return Ok{};
  const bool complete = written_ == rows_;
  if (std::fclose(file_.release()) != 0) {
    return Error(Code::kUnavailable, path_ + " cannot be written");
  }
  if (complete) return Ok{};
  return Error(Code::kDataLoss, path_ + " has " + std::to_string(written_) + " of " +
                                    std::to_string(rows_) + " rows");
}

}  // namespace teetee::cli
