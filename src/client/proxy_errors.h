// The proxy's own refusals in OpenAI's shape, for what it can tell without asking anybody.
#pragma once

#include <optional>

#include "attest/policy/trust_file.h"
#include "net/http.h"

namespace teetee::client {

// {"error":{"message","type","param","code"}}
Json ErrorBody(const Error& error, std::string_view param);

net::HttpResponse UnknownModel(const attest::TrustFile& trust);

// Bad JSON, no object, no model, unknown model: an answer. Nothing: go on.
std::optional<net::HttpResponse> PrecheckRequest(std::string_view body, const attest::TrustFile& trust);

// The proxy spends money and shows prompts to whoever asks, so a browser must not ask for the pages of a stranger: a Host that is not this
// machine (a name bound to 127.0.0.1 afterwards) or an Origin of another site is refused. Programs send no Origin.
std::optional<net::HttpResponse> RefuseForeignPage(const net::HttpRequest& request);

// A known path with another method.
net::HttpResponse MethodNotAllowed(std::string_view allowed);

}  // namespace teetee::client
