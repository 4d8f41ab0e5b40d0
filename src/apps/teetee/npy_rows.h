// Rows of floats as a NumPy .npy file (format version 1.0), written as they come.
// Source: numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#pragma once

#include <cstddef>
#include <cstdio>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"

namespace teetee::cli {

class NpyRows {
 public:
  // Makes or replaces the file at `path`, for exactly `rows` rows of `columns` little-endian f32.
  // kUnavailable: it cannot be written.
  Status Open(const std::string& path, size_t rows, size_t columns);
  // REQUIRES: Open, and row.size() == columns.
  Status Write(std::span<const float> row);
  // kDataLoss: fewer or more rows than Open said. Does nothing without Open.
  Status Close();

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  Status Put(const void* data, size_t size);

  std::unique_ptr<std::FILE, CloseFile> file_;
  std::string path_;
  size_t rows_ = 0;
  size_t columns_ = 0;
  size_t written_ = 0;
};

}  // namespace teetee::cli
