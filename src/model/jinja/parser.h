// Tokens -> Program. Precedence and leniency follow the reference renderer. What is not supported is refused here by name.
#pragma once

#include <string_view>

#include "base/result.h"
#include "model/jinja/ast.h"

namespace teetee::model::jinja {

inline constexpr unsigned kMaxTreeDepth = 128;

// Error: kInvalidArgument (syntax, with the line) or kResourceExhausted (nested too deeply).
Result<Program> Parse(std::string_view source);

}  // namespace teetee::model::jinja
