#include "pages/site.h"

#include <algorithm>

#include "net/url.h"

namespace teetee::pages {
namespace {

// The first part of each page's path.
constexpr std::string_view kPages[] = {"pool",     "dashboard", "chat",
                                       "explorer", "settings",  "glossary"};

Result<std::string> OriginOf(const std::string& text) {
  const net::Url url = TT_TRY(net::ParseUrl(text));
  return url.scheme + "://" + url.HostHeader();
}

}  // namespace

bool IsPagePath(std::string_view path) {
  if (path == "/") return true;
  if (path.empty() || path[0] != '/') return false;
  const std::string_view first = path.substr(1, path.find('/', 1) - 1);
  return std::find(std::begin(kPages), std::end(kPages), first) != std::end(kPages);
}

Status CheckImage(std::string_view image) {
  constexpr std::string_view kDigest = "@sha256:";
  const size_t at = image.find(kDigest);
  const bool named = at != std::string_view::npos && at > 0 && at <= 255 &&
                     std::all_of(image.begin(), image.begin() + static_cast<ptrdiff_t>(at),
                                 [](char c) { return c > 0x20 && c < 0x7f && c != '"'; });
  if (!named || !FromHexFixed<32>(image.substr(at + kDigest.size())))
    return Error(Code::kInvalidArgument,
                 "--node-image: not name@sha256:DIGEST (a name alone may change what it means)");
  return Ok{};
}

Json SiteConfig::ToJson() const {
  auto text_or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  return Json::MakeObject({{"v", 1},
                           {"served_by", served_by},
                           {"gateway", gateway},
                           {"rpc", text_or_null(rpc)},
                           {"chain_id", chain_id},
                           {"registry", ToHex0x(registry)},
                           {"ledger", ToHex0x(ledger)},
                           {"from_block", from_block},
                           {"trust", trust},
                           {"demo_wallet", demo_wallet},
                           {"image", text_or_null(image)},
                           {"auditor", auditor}});
}

Result<std::string> SiteConfig::Origins() const {
  std::string out;
  for (const std::string& text : {gateway, rpc}) {
    if (text.empty()) continue;
    if (!out.empty()) out += ' ';
    out += TT_TRY(OriginOf(text));
  }
  return out;
}

Result<Site> Site::Load(const std::string& folder, const SiteConfig& config) {
  Site out;
  out.files_ = TT_TRY(WebFiles::Load(folder));
  if (!out.files_.Get("/index.html", ""))
    return Error(Code::kNotFound, folder + " has no index.html: build the pages (./dev build)");
  out.config_ = config.ToJson().Dump();
  out.origins_ = TT_TRY(config.Origins());
  return out;
}

std::optional<net::HttpResponse> Site::Get(const net::HttpRequest& request) const {
  if (empty()) return std::nullopt;
  if (request.path == "/config.json") {
    net::HttpResponse out = net::HttpResponse::Text(200, config_, "application/json");
    out.headers = PageHeaders("application/json", origins_);
    out.headers.Set("Cache-Control", "no-store");
    return out;
  }
  const std::string_view etag = request.headers.Find("If-None-Match").value_or("");
  auto file = files_.Get(request.path, etag, origins_);
  if (file || !IsPagePath(request.path)) return file;
  return files_.Get("/index.html", etag, origins_);
}

}  // namespace teetee::pages
