#include "head/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/file.h"

namespace teetee::head {
namespace {
constexpr size_t kMaxJournalBytes = size_t{1} << 30;
constexpr size_t kMaxRecordBytes = 16u << 20;
}  // namespace

Journal::Journal(Journal&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)), records_(std::move(other.records_)) {}

Journal::~Journal() {
  if (fd_ >= 0) ::close(fd_);
}

Status Journal::OpenForAppend() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd_ < 0) return Error(Code::kUnavailable, "open " + path_ + ": " + std::strerror(errno));
  return Ok{};
}

Result<Journal> Journal::Open(const std::string& path) {
  Journal journal;
  journal.path_ = path;
  if (path.empty()) return journal;
  bool torn = false;
  if (FileExists(path)) {
    Bytes bytes = TT_TRY(ReadFile(path, kMaxJournalBytes));
    std::string_view text = AsText(bytes);
    size_t line_number = 0;
    while (!text.empty()) {
      ++line_number;
      size_t end = text.find('\n');
      auto record = Json::Parse(text.substr(0, end), {.max_bytes = kMaxRecordBytes});
      bool last = end == std::string_view::npos;
      if (last || !record) {
        torn = last || end + 1 == text.size();
        if (torn) break;
        return Error(Code::kDataLoss, path + ": line " + std::to_string(line_number) + " is damaged");
      }
      journal.records_.push_back(*std::move(record));
      text.remove_prefix(end + 1);
    }
  }
  if (torn) TT_RETURN_IF_ERROR(journal.Rewrite(journal.records_));
  TT_RETURN_IF_ERROR(journal.OpenForAppend());
  return journal;
}

// A record that did not get onto the disk whole is taken back: else the next one would be appended to its torn half.
Status Journal::Append(const Json& record) {
  if (path_.empty()) return Ok{};
  const off_t before = ::lseek(fd_, 0, SEEK_END);
  Status written = Write(record);
  if (!written && before >= 0 && ::ftruncate(fd_, before) != 0) {
    return std::move(written).error().Context("and " + path_ + " cannot be cut back");
  }
  return written;
}

Status Journal::Write(const Json& record) {
  std::string line = record.Dump() + "\n";
  std::string_view left = line;
  while (!left.empty()) {
    ssize_t n = ::write(fd_, left.data(), left.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error(Code::kUnavailable, "write " + path_ + ": " + std::strerror(errno));
    left.remove_prefix(static_cast<size_t>(n));
  }
  if (::fdatasync(fd_) != 0) return Error(Code::kUnavailable, "sync " + path_ + ": " + std::strerror(errno));
  return Ok{};
}

Status Journal::Rewrite(const std::vector<Json>& records) {
  if (path_.empty()) return Ok{};
  std::string text;
  for (const Json& record : records) text += record.Dump() + "\n";
  TT_RETURN_IF_ERROR(WriteFileAtomic(path_, AsBytes(text), 0600));
  return OpenForAppend();
}

}  // namespace teetee::head
