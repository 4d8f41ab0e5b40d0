// The pages as a site: the bundle's files, every page's path answered with index.html, and
// /config.json. The same for `teetee web` and for the gateway, which differ in what the config says.
// Source: docs/design/0008-pages.md. Thread-compatible.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "crypto/secp256k1.h"
#include "pages/web_files.h"

namespace teetee::pages {

struct SiteConfig {
  std::string served_by;  // "web" or "gateway"
  std::string gateway;    // URL; empty: the page's own origin
  std::string rpc;        // URL of the chain's RPC for browsers; empty: the user names one
  uint64_t chain_id = 0;
  crypto::Address registry{}, ledger{};
  uint64_t from_block = 0;
  Json trust;  // the user's own trust file; null where the server is not to be believed
  bool demo_wallet = false;
  std::string image;  // of a node, name@sha256:…; empty: none
  bool auditor = false;

  Json ToJson() const;
  // What the pages connect to besides their own origin, as the content policy wants it.
  // kInvalidArgument for what is no URL.
  Result<std::string> Origins() const;
};

// True for the path of a page (/chat/ID, ...), which index.html answers.
bool IsPagePath(std::string_view path);
// "name@sha256:64 hex": an image that cannot change under its name.
Status CheckImage(std::string_view image);

class Site {
 public:
  Site() = default;  // no pages: Get answers nothing
  // As WebFiles::Load; kNotFound when the folder has no index.html.
  static Result<Site> Load(const std::string& folder, const SiteConfig& config);

  // The answer to a GET or HEAD, or nothing.
  std::optional<net::HttpResponse> Get(const net::HttpRequest& request) const;
  bool empty() const { return files_.size() == 0; }

 private:
  WebFiles files_;
  std::string config_, origins_;
};

}  // namespace teetee::pages
