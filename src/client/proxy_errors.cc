#include "client/proxy_errors.h"

#include <algorithm>

#include "net/url.h"

namespace teetee::client {
namespace {

bool IsThisMachine(std::string_view host) {
  bool v4 = host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos;
  return v4 || host == "localhost" || host.ends_with(".localhost") || host == "::1";
}

// A Host field, with or without a port.
bool HostIsThisMachine(std::string_view field) {
  std::string text(field);
  if (text.find(':', text.find(']') == std::string::npos ? 0 : text.find(']')) == std::string::npos) text += ":80";
  auto parsed = net::ParseHostPort(text);
  return parsed && IsThisMachine(parsed->host);
}

bool OriginIsThisMachine(std::string_view origin) {
  auto url = net::ParseUrl(origin);
  return url && IsThisMachine(url->host);
}

}  // namespace

Json ErrorBody(const Error& error, std::string_view param) {
  return Json::MakeObject({{"error", Json::MakeObject({{"message", error.message()},
                                                       {"type", OpenAiErrorType(error.code())},
                                                       {"param", param.empty() ? Json() : Json(param)},
                                                       {"code", CodeName(error.code())}})}});
}

net::HttpResponse UnknownModel(const attest::TrustFile& trust) {
  std::string names;
  for (const auto& [name, id] : trust.models()) names += (names.empty() ? "" : ", ") + name;
  Error error(Code::kNotFound, "the model does not exist in your trust file; it names: " + names);
  Json json = ErrorBody(error, "model");
  json.Find("error")->Set("code", "model_not_found");
  return net::HttpResponse::OfJson(HttpStatus(error.code()), json);
}

std::optional<net::HttpResponse> PrecheckRequest(std::string_view body, const attest::TrustFile& trust) {
  auto refuse = [](const std::string& text, std::string_view param) {
    Error error(Code::kInvalidArgument, text);
    return net::HttpResponse::OfJson(HttpStatus(error.code()), ErrorBody(error, param));
  };
  auto parsed = Json::Parse(body);
  if (!parsed) return refuse("the request body is " + parsed.error().message(), "");
  if (!parsed->is_object()) return refuse("the request body is not a JSON object", "");
  auto model = parsed->GetString("model");
  if (!model) return refuse("'model': expected a text", "model");
  const auto& known = trust.models();
  bool there = std::any_of(known.begin(), known.end(), [&](auto& m) { return m.first == *model || ToHex0x(m.second) == *model; });
  if (there) return std::nullopt;
  return UnknownModel(trust);
}

std::optional<net::HttpResponse> RefuseForeignPage(const net::HttpRequest& request) {
  auto refuse = [](std::string text) {
    Error error(Code::kPermissionDenied, std::move(text));
    return net::HttpResponse::OfJson(HttpStatus(error.code()), ErrorBody(error, ""));
  };
  auto host = request.headers.Find("Host");
  if (host && !HostIsThisMachine(*host)) {
    return refuse("the proxy answers to localhost, 127.0.0.1 and [::1] only: use http://127.0.0.1:PORT/v1 as base URL");
  }
  auto origin = request.headers.Find("Origin");
  if (origin && !OriginIsThisMachine(*origin)) return refuse("a page of another site may not use this proxy; open a page of this machine, or use a program");
  return std::nullopt;
}

net::HttpResponse MethodNotAllowed(std::string_view allowed) {
  Error error(Code::kInvalidArgument, "this path takes " + std::string(allowed) + " only");
  auto out = net::HttpResponse::OfJson(405, ErrorBody(error, ""));
  out.headers.Set("Allow", std::string(allowed));
  return out;
}

}  // namespace teetee::client
