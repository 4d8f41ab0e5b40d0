#include "client/proxy_errors.h"

#include <algorithm>

namespace teetee::client {

Json ErrorBody(const Error& error, std::string_view param) {
  return Json::MakeObject({{"error", Json::MakeObject({{"message", error.message()},
                                                       {"type", OpenAiErrorType(error.code())},
                                                       {"param", param.empty() ? Json() : Json(param)},
                                                       {"code", CodeName(error.code())}})}});
}

std::optional<net::HttpResponse> PrecheckRequest(std::string_view body, const attest::TrustFile& trust) {
  auto refuse = [](Error error, std::string_view param, std::string_view code) {
    Json json = ErrorBody(error, param);
    if (!code.empty()) json.Find("error")->Set("code", code);
    return net::HttpResponse::OfJson(HttpStatus(error.code()), json);
  };
  auto parsed = Json::Parse(body);
  if (!parsed) return refuse(Error(Code::kInvalidArgument, "the request body is " + parsed.error().message()), "", "");
  if (!parsed->is_object()) return refuse(Error(Code::kInvalidArgument, "the request body is not a JSON object"), "", "");
  auto model = parsed->GetString("model");
  if (!model) return refuse(Error(Code::kInvalidArgument, "'model': expected a text"), "model", "");
  const auto& known = trust.models();
  bool there = std::any_of(known.begin(), known.end(), [&](auto& m) { return m.first == *model || ToHex0x(m.second) == *model; });
  if (there) return std::nullopt;
  std::string names;
  for (const auto& [name, id] : known) names += (names.empty() ? "" : ", ") + name;
  return refuse(Error(Code::kNotFound, "the model does not exist in your trust file; it names: " + names), "model", "model_not_found");
}

}  // namespace teetee::client
