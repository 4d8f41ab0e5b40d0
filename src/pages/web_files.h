// Static files of the pages, read once at start: nothing that appears on the disk later, and no
// path that leaves the folder, is ever served. Thread-compatible.
#pragma once

#include <map>
#include <string>

#include "base/bytes.h"
#include "net/http.h"

namespace teetee::pages {

// For every page and file: scripts, styles and pictures of its own only, nobody may frame it, nothing
// is guessed. `connect` (origins, separated by spaces): where else its scripts may connect to.
std::string ContentPolicy(std::string_view connect);
net::HttpHeaders PageHeaders(std::string_view content_type, std::string_view connect = "");

class WebFiles {
 public:
  WebFiles() = default;  // none
  // kNotFound when there is no such folder; kResourceExhausted beyond 4096 files or 64 MiB. Hidden
  // files and links are left out.
  static Result<WebFiles> Load(const std::string& folder);

  // The answer to a GET, or nothing. "/a/" is "/a/index.html", "/a" may be "/a.html". `etag`:
  // If-None-Match of the request, or "". `connect`: as in ContentPolicy.
  std::optional<net::HttpResponse> Get(std::string_view path, std::string_view etag,
                                       std::string_view connect = "") const;
  size_t size() const { return files_.size(); }

 private:
  struct File {
    Bytes content;
    std::string type, etag;
  };
  const File* Find(std::string_view path) const;
  std::map<std::string, File, std::less<>> files_;  // by path, "/index.html"
};

}  // namespace teetee::pages
