#include "pages/web_files.h"

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "crypto/hash.h"
#include "net/url.h"

namespace teetee::pages {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxFiles = 4096;
constexpr size_t kMaxTotal = 64u << 20;  // bytes
constexpr std::string_view kAssets = "/assets/";
constexpr char kForever[] = "public, max-age=31536000, immutable";

struct Type {
  std::string_view extension, type;
};
constexpr Type kTypes[] = {{".html", "text/html; charset=utf-8"},
                           {".js", "text/javascript; charset=utf-8"},
                           {".mjs", "text/javascript; charset=utf-8"},
                           {".css", "text/css; charset=utf-8"},
                           {".json", "application/json"},
                           {".webmanifest", "application/manifest+json"},
                           {".txt", "text/plain; charset=utf-8"},
                           {".svg", "image/svg+xml"},
                           {".png", "image/png"},
                           {".jpg", "image/jpeg"},
                           {".webp", "image/webp"},
                           {".ico", "image/x-icon"},
                           {".woff2", "font/woff2"},
                           {".wasm", "application/wasm"}};

std::string TypeOf(const fs::path& path) {
  const std::string extension = path.extension().string();
  for (const Type& known : kTypes) {
    if (known.extension == extension) return std::string(known.type);
  }
  return "application/octet-stream";
}

bool IsHidden(const fs::path& relative) {
  return std::any_of(relative.begin(), relative.end(),
                     [](const fs::path& part) { return part.string().starts_with('.'); });
}

}  // namespace

std::string ContentPolicy(std::string_view connect) {
  std::string out =
      "default-src 'self'; script-src 'self'; style-src 'self'; connect-src 'self'";
  if (!connect.empty()) out += " " + std::string(connect);
  return out +
         "; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; "
         "frame-ancestors 'none'";
}

net::HttpHeaders PageHeaders(std::string_view content_type, std::string_view connect) {
  return {{"Content-Type", std::string(content_type)},
          {"Content-Security-Policy", ContentPolicy(connect)},
          {"X-Content-Type-Options", "nosniff"},
          {"Referrer-Policy", "no-referrer"},
          {"Cross-Origin-Opener-Policy", "same-origin"},
          {"Cache-Control", "no-cache"}};
}

Result<WebFiles> WebFiles::Load(const std::string& folder) {
  std::error_code failed;
  WebFiles out;
  size_t total = 0;
  fs::recursive_directory_iterator it(folder, failed);
  if (failed)
    return Error(Code::kNotFound, "--web: there is no folder " + folder + " that can be read");
  for (; it != fs::recursive_directory_iterator(); it.increment(failed)) {
    if (failed) return Error(Code::kUnavailable, "--web: " + folder + " cannot be read");
    const fs::path relative = it->path().lexically_relative(folder);
    if (it->is_symlink(failed) || !it->is_regular_file(failed) || IsHidden(relative)) continue;
    if (out.files_.size() >= kMaxFiles)
      return Error(Code::kResourceExhausted, "--web: more than 4096 files");
    Bytes content = TT_TRY(ReadFile(it->path().string(), kMaxTotal));
    total += content.size();
    if (total > kMaxTotal) return Error(Code::kResourceExhausted, "--web: more than 64 MiB");
    std::string etag = "\"" + ToHex(crypto::Sha256(content)).substr(0, 32) + "\"";
    out.files_["/" + relative.generic_string()] = {std::move(content), TypeOf(relative),
                                                   std::move(etag)};
  }
  return out;
}

const WebFiles::File* WebFiles::Find(std::string_view path) const {
  auto decoded = net::PercentDecode(path);
  if (!decoded) return nullptr;
  for (const std::string& name : {*decoded, *decoded + "index.html", *decoded + ".html"}) {
    if (name.ends_with("index.html") && !decoded->ends_with('/') && name != *decoded) continue;
    if (auto found = files_.find(name); found != files_.end()) return &found->second;
  }
  return nullptr;
}

std::optional<net::HttpResponse> WebFiles::Get(std::string_view path, std::string_view etag,
                                               std::string_view connect) const {
  const File* file = Find(path);
  if (file == nullptr) return std::nullopt;
  net::HttpResponse out;
  out.headers = PageHeaders(file->type, connect);
  out.headers.Set("ETag", file->etag);
  // The bundler names these by their content.
  if (path.starts_with(kAssets)) out.headers.Set("Cache-Control", kForever);
  if (etag == file->etag) {
    out.status = 304;
  } else {
    out.body = file->content;
  }
  return out;
}

}  // namespace teetee::pages
