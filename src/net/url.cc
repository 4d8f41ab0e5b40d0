#include "net/url.h"

#include <algorithm>
#include <charconv>

namespace teetee::net {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Error Bad(std::string what) { return Error(Code::kInvalidArgument, "URL: " + what); }

Result<uint16_t> ParsePort(std::string_view text, bool zero_allowed) {
  unsigned value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool whole = error == std::errc() && end == text.data() + text.size();
  if (text.empty() || text.size() > 5 || !whole || value > 65535 || (value == 0 && !zero_allowed)) {
    return Bad("the port is not a number from 1 to 65535");
  }
  return static_cast<uint16_t>(value);
}

bool IsHostName(std::string_view host) {
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [](char c) {
    return IsAlpha(c) || IsDigit(c) || c == '-' || c == '.' || c == '_';
  });
}

bool IsIpv6Text(std::string_view host) {
  return host.size() >= 2 && host.size() <= 45 && std::all_of(host.begin(), host.end(), [](char c) {
           return HexDigit(c) >= 0 || c == ':' || c == '.';
         });
}

bool IsTargetChar(char c) { return c > 0x20 && c < 0x7f && c != '#'; }

struct Authority {
  std::string host;
  std::string_view port;  // empty: none given
};

Result<Authority> SplitAuthority(std::string_view text) {
  Authority out;
  std::string_view host, rest;
  if (!text.empty() && text.front() == '[') {
    size_t close = text.find(']');
    if (close == std::string_view::npos) return Bad("'[' without ']'");
    host = text.substr(1, close - 1);
    rest = text.substr(close + 1);
    if (!IsIpv6Text(host)) return Bad("no IPv6 address between brackets");
  } else {
    size_t colon = text.find(':');
    host = text.substr(0, colon);
    rest = colon == std::string_view::npos ? std::string_view() : text.substr(colon);
    if (!IsHostName(host))
      return Bad("the host is empty or has a character that hosts do not have");
  }
  if (!rest.empty() && (rest.front() != ':' || rest.size() == 1)) return Bad("the port is missing");
  out.host.resize(host.size());
  std::transform(host.begin(), host.end(), out.host.begin(), Lower);
  out.port = rest.empty() ? rest : rest.substr(1);
  return out;
}

}  // namespace

std::string Url::HostHeader() const {
  std::string out = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != (scheme == "https" ? 443 : 80)) out += ":" + std::to_string(port);
  return out;
}

Result<Url> ParseUrl(std::string_view text) {
  if (text.size() > kMaxUrl) return Bad("longer than " + std::to_string(kMaxUrl) + " bytes");
  Url out;
  size_t colon = text.find("://");
  if (colon == std::string_view::npos) return Bad("no scheme");
  for (char c : text.substr(0, colon)) out.scheme += Lower(c);
  if (out.scheme != "http" && out.scheme != "https")
    return Bad("the scheme is neither http nor https");
  std::string_view rest = text.substr(colon + 3);
  size_t slash = rest.find_first_of("/?");
  Authority authority = TT_TRY(SplitAuthority(rest.substr(0, slash)));
  out.host = std::move(authority.host);
  out.port = out.scheme == "https" ? 443 : 80;
  if (!authority.port.empty()) out.port = TT_TRY(ParsePort(authority.port, false));
  out.target = slash == std::string_view::npos ? "/" : std::string(rest.substr(slash));
  if (out.target.front() == '?') out.target.insert(0, "/");
  if (!std::all_of(out.target.begin(), out.target.end(), IsTargetChar)) {
    return Bad("the path holds a character that must be escaped, or a fragment");
  }
  return out;
}

Result<HostPort> ParseHostPort(std::string_view text) {
  if (text.size() > 300) return Bad("the address is too long");
  Authority authority = TT_TRY(SplitAuthority(text));
  HostPort out;
  out.host = std::move(authority.host);
  out.port = TT_TRY(ParsePort(authority.port, true));
  return out;
}

Result<std::string> PercentDecode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
    if (high < 0 || low < 0) return Bad("broken escape at offset " + std::to_string(i));
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::optional<std::string> QueryParameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    size_t amp = query.find('&');
    std::string_view part = query.substr(0, amp);
    query = amp == std::string_view::npos ? std::string_view() : query.substr(amp + 1);
    size_t equals = part.find('=');
    if (part.substr(0, equals) != name) continue;
    auto value = PercentDecode(equals == std::string_view::npos ? "" : part.substr(equals + 1));
    return value ? std::optional<std::string>(*value) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace teetee::net
