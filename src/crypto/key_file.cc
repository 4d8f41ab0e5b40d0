#include "crypto/key_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "crypto/random.h"

namespace teetee::crypto {
namespace {

constexpr size_t kTextSize = 67;  // "0x", 64 digits, line feed
constexpr char kDigits[] = "0123456789abcdef";

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

Error FileError(Code code, const std::string& path, const std::string& what) {
  return Error(code, "key file " + path + ": " + what);
}

Status CheckOwnerOnly(const std::string& path, int fd) {
  struct stat info;
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    return FileError(Code::kPermissionDenied, path, "is not a regular file");
  }
  if (info.st_uid != ::geteuid()) {
    return FileError(Code::kPermissionDenied, path, "belongs to another user");
  }
  if ((info.st_mode & 077) != 0) {
    return FileError(Code::kPermissionDenied, path,
                     "is open to other users; mend with: chmod 600 " + path);
  }
  return Ok{};
}

// Value of a digit, or -1.
int Nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Fixed buffers only, so that no copy of the secret is left on the heap.
bool ParseSecretText(const char* text, size_t size, Secret<32>* out) {
  if (size != kTextSize && size != kTextSize - 1) return false;  // with or without the line feed
  if (text[0] != '0' || text[1] != 'x') return false;
  if (size == kTextSize && text[kTextSize - 1] != '\n') return false;
  for (size_t i = 0; i < 32; ++i) {
    const int high = Nibble(text[2 + 2 * i]);
    const int low = Nibble(text[3 + 2 * i]);
    if (high < 0 || low < 0) return false;
    out->data()[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
}

void FormatSecretText(const Secret<32>& secret, char* text) {
  text[0] = '0';
  text[1] = 'x';
  for (size_t i = 0; i < 32; ++i) {
    text[2 + 2 * i] = kDigits[secret.data()[i] >> 4];
    text[3 + 2 * i] = kDigits[secret.data()[i] & 15];
  }
  text[kTextSize - 1] = '\n';
}

Status WriteAndSync(const std::string& path, const Secret<32>& secret) {
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.ok()) return FileError(Code::kUnavailable, path, std::strerror(errno));
  char text[kTextSize];
  FormatSecretText(secret, text);
  const ssize_t written = ::write(file.get(), text, kTextSize);
  SecureZero(text, sizeof(text));
  if (written != static_cast<ssize_t>(kTextSize) || ::fsync(file.get()) != 0) {
    return FileError(Code::kUnavailable, path, "cannot be written");
  }
  return Ok{};
}

void SyncFolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  FileDescriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.ok()) ::fsync(fd.get());
}

}  // namespace

Result<Secret<32>> LoadSecretFile(const std::string& path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file.ok()) {
    if (errno == ENOENT) return FileError(Code::kNotFound, path, "does not exist");
    if (errno == ELOOP) return FileError(Code::kPermissionDenied, path, "is a symbolic link");
    return FileError(Code::kPermissionDenied, path, std::strerror(errno));
  }
  TT_RETURN_IF_ERROR(CheckOwnerOnly(path, file.get()));
  char text[kTextSize + 1];  // one more, to notice a longer file
  size_t size = 0;
  ssize_t n = 0;
  while (size < sizeof(text) && (n = ::read(file.get(), text + size, sizeof(text) - size)) > 0) {
    size += static_cast<size_t>(n);
  }
  Secret<32> secret;
  const bool good = ParseSecretText(text, size, &secret);
  SecureZero(text, sizeof(text));
  if (!good) return FileError(Code::kDataLoss, path, "is not 0x and 64 hexadecimal digits");
  return secret;
}

Status CreateSecretFile(const std::string& path, const Secret<32>& secret) {
  const std::string temporary = path + "." + ToHex(RandomArray<8>()) + ".tmp";
  Status written = WriteAndSync(temporary, secret);
  // link() and not rename(): it never replaces what is there.
  const bool linked = written && ::link(temporary.c_str(), path.c_str()) == 0;
  const int error = errno;
  ::unlink(temporary.c_str());
  TT_RETURN_IF_ERROR(std::move(written));
  if (!linked && error == EEXIST) {
    return FileError(Code::kFailedPrecondition, path, "exists already");
  }
  if (!linked) return FileError(Code::kUnavailable, path, std::strerror(error));
  SyncFolderOf(path);
  return Ok{};
}

Result<SigningKey> LoadSigningKey(const std::string& path) {
  const Secret<32> secret = TT_TRY(LoadSecretFile(path));
  auto key = SigningKey::FromSecret(secret);
  if (!key) return FileError(Code::kDataLoss, path, "is not a secp256k1 private key");
  return key;
}

Result<SigningKey> CreateSigningKey(const std::string& path) {
  SigningKey key = SigningKey::Generate();
  TT_RETURN_IF_ERROR(CreateSecretFile(path, key.secret()));
  return key;
}

Result<SigningKey> LoadOrCreateSigningKey(const std::string& path) {
  auto loaded = LoadSigningKey(path);
  if (loaded || loaded.error().code() != Code::kNotFound) return loaded;
  auto created = CreateSigningKey(path);
  if (created || created.error().code() != Code::kFailedPrecondition) return created;
  return LoadSigningKey(path);  // another process was faster
}

}  // namespace teetee::crypto
