// The proxy's own refusals in OpenAI's shape, for what it can tell without asking anybody.
#pragma once

#include <optional>

#include "attest/policy/trust_file.h"
#include "net/http.h"

namespace teetee::client {

// {"error":{"message","type","param","code"}}
Json ErrorBody(const Error& error, std::string_view param);

// Bad JSON, no object, no model, unknown model: an answer. Nothing: go on.
std::optional<net::HttpResponse> PrecheckRequest(std::string_view body, const attest::TrustFile& trust);

}  // namespace teetee::client
