#include "base/file.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace teetee {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

Error FromErrno(const std::string& what) {
  Code code = errno == ENOENT ? Code::kNotFound : Code::kUnavailable;
  return Error(code, what + ": " + std::strerror(errno));
}

Status WriteAll(int fd, ByteView content, const std::string& path) {
  while (!content.empty()) {
    ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FromErrno("write " + path);
    content = content.subspan(static_cast<size_t>(n));
  }
  return Ok{};
}

}  // namespace

Result<Bytes> ReadFile(const std::string& path, size_t max_bytes) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return FromErrno("open " + path);
  Bytes out;
  uint8_t buffer[65536];
  for (;;) {
    ssize_t n = ::read(file.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FromErrno("read " + path);
    if (n == 0) return out;
    if (out.size() + static_cast<size_t>(n) > max_bytes) {
      return Error(Code::kResourceExhausted,
                   path + ": larger than " + std::to_string(max_bytes) + " bytes");
    }
    out.insert(out.end(), buffer, buffer + n);
  }
}

Status WriteFileAtomic(const std::string& path, ByteView content, unsigned mode) {
  const std::string part = path + ".tmp";
  ::unlink(part.c_str());
  {
    Descriptor file(::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (file.get() < 0) return FromErrno("create " + part);
    TT_RETURN_IF_ERROR(WriteAll(file.get(), content, part));
    if (::fsync(file.get()) != 0) return FromErrno("sync " + part);
  }
  if (::rename(part.c_str(), path.c_str()) != 0) return FromErrno("rename " + part);
  std::string folder = std::filesystem::path(path).parent_path().string();
  Descriptor directory(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() >= 0) ::fsync(directory.get());
  return Ok{};
}

Status MakeDirectories(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return Error(Code::kUnavailable, "make folder " + path + ": " + error.message());
  return Ok{};
}

bool FileExists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

void ProtectProcess() {
  ::prctl(PR_SET_DUMPABLE, 0);
  rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
}

}  // namespace teetee
