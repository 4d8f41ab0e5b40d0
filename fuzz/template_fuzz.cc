// Input: a first byte chooses. Even: the rest is "source \0 context JSON" (the context may be missing). Odd: the rest is the JSON
// context of a fixed template that touches much of the engine.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "model/chat_template.h"

namespace {

constexpr std::string_view kFixed = R"({%- macro show(v, depth=0) -%}
{%- if v is mapping and depth < 4 %}{% for k, w in v | dictsort %}{{ k }}={{ show(w, depth + 1) }}{% endfor %}
{%- elif v is string %}{{ v.strip().split() | join('|') }}{{ v[1:-1] }}{{ v | tojson }}{{ v | replace('a', 'bb') | indent }}
{%- elif v is iterable %}{% for x in v %}{{ loop.index }}{{ show(x, depth + 1) }}{% else %}-{% endfor %}{{ v | tojson(indent=2) }}
{%- else %}{{ v | string if v is number }}{{ v | default('none', true) }}{% endif %}
{%- endmacro -%}
{% set ns = namespace(n=0) %}{% for message in messages %}{% set ns.n = ns.n + 1 %}
{{ message.role ~ ns.n }}{{ show(message) }}{{ message == messages[-1] }}{{ 'x' in message }}
{% endfor %}{{ messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | list | unique | length }}
{{ tools | tojson }}{{ show(tools) }})";

constexpr teetee::model::RenderLimits kLimits = {
    .max_output_bytes = 1u << 16, .max_steps = 20'000, .max_work_bytes = 1u << 20};

void Run(std::string_view source, std::string_view context) {
  auto compiled = teetee::model::ChatTemplate::Compile(source);
  auto json = teetee::Json::Parse(context, {.max_bytes = 1u << 16, .max_depth = 100});
  if (!compiled) return;
  auto out = compiled->Render(json && json->is_object() ? *json : teetee::Json::MakeObject(), 1753522500, kLimits);
  if (out && out->size() > kLimits.max_output_bytes) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  if (data[0] % 2 == 1) {
    Run(kFixed, text);
  } else {
    size_t cut = text.find('\0');
    Run(text.substr(0, cut), cut == std::string_view::npos ? "{}" : text.substr(cut + 1));
  }
  return 0;
}
