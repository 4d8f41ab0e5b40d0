// An append-only file of JSON lines that survives crashes: each record is on disk before Append returns. It lies outside the TEE and
// holds only what will stand on chain anyway: no prompt, no answer, no secret. A last line that a crash cut short is dropped on load.
// Threads: one.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace teetee::head {

class Journal {
 public:
  // path "" keeps nothing (tests). Errors: kUnavailable when the file cannot be made or read, kDataLoss for a bad line that is not the last.
  static Result<Journal> Open(const std::string& path);
  Journal(Journal&& other) noexcept;
  Journal& operator=(Journal&&) = delete;
  ~Journal();

  const std::vector<Json>& records() const { return records_; }  // as found on opening
  void Forget() { records_.clear(); }
  Status Append(const Json& record);
  // Replaces the whole content (on start, when most of it is history).
  Status Rewrite(const std::vector<Json>& records);

 private:
  Journal() = default;
  Status OpenForAppend();
  Status Write(const Json& record);
  std::string path_;
  int fd_ = -1;
  std::vector<Json> records_;
};

}  // namespace teetee::head
