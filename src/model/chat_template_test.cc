#include "model/chat_template.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/file.h"

namespace teetee::model {
namespace {

constexpr int64_t kNow = 1753522500;  // 2025-07-26 09:35 UTC

Result<std::string> Render(std::string_view source, const Json& context = Json::MakeObject(),
                           const RenderLimits& limits = {}) {
  return TT_TRY(ChatTemplate::Compile(source)).Render(context, kNow, limits);
}

std::string Text(std::string_view source, const Json& context = Json::MakeObject()) {
  auto out = Render(source, context);
  return out ? *out : "ERROR " + out.error().message();
}

Json Context(std::string_view text) { return *Json::Parse(text); }

Error Refusal(std::string_view source, const Json& context = Json::MakeObject(), const RenderLimits& limits = {}) {
  auto out = Render(source, context, limits);
  EXPECT_FALSE(out) << "rendered: " << (out ? out->substr(0, 100) : "");
  return out ? Error(Code::kInternal, "none") : std::move(out).error();
}

std::string Repeat(std::string_view text, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += text;
  return out;
}

TEST(ChatTemplateRefusal, SyntaxErrorsNameTheLine) {
  EXPECT_EQ(Refusal("a\nb\n{{ 1 ").message(), "chat template line 3: unexpected end");
  EXPECT_EQ(Refusal("{% if x %}\ny").message(), "chat template line 2: expected 'endif'");
  EXPECT_EQ(Refusal("{% if x %}\n{%- if y %}\n{{ 'open }}").message(),
            "chat template line 3: string without end");
  EXPECT_EQ(Refusal("{#").message(), "chat template line 1: comment without end");
  EXPECT_EQ(Refusal("\n{{ x | nope }}").message(), "chat template line 2: unknown filter 'nope'");
  EXPECT_EQ(Refusal("{% call f() %}{% endcall %}").message(),
            "chat template line 1: call blocks are not supported");
  EXPECT_EQ(Refusal("{% for x in y recursive %}{% endfor %}").message(),
            "chat template line 1: recursive loops are not supported");
  EXPECT_EQ(Refusal("{% import 'x' %}").message(), "chat template line 1: unknown or misplaced statement");
  EXPECT_EQ(Refusal("{{ '\xff' }}").message(), "chat template is not UTF-8");
}

TEST(ChatTemplateRefusal, NeverQuotesTheConversation) {
  Json context = Context(R"({"m": "SECRET", "d": {"SECRET": "SECRET"}, "l": ["SECRET"]})");
  for (const char* source :
       {"{{ raise_exception('role ' + m) }}", "{{ m - 1 }}", "{{ m.nope() }}", "{{ d | sort }}", "{{ m | abs }}",
        "{{ {}[m] + m }}", "{{ l | map(m) }}", "{{ l | select(m) }}", "{{ m() }}", "{% for a, b in l %}{% endfor %}",
        "{{ range(*l) }}", "{{ d | tojson(indent=m) }}", "{% macro f() %}{% endmacro %}{{ f(**d) }}"}) {
    Error error = Refusal(source, context);
    EXPECT_EQ(error.message().find("SECRET"), std::string::npos) << source << ": " << error.message();
  }
}

TEST(ChatTemplateRefusal, TellsTheTemplatesOwnRefusal) {
  Error error = Refusal("\n{{ raise_exception('roles must alternate') }}");
  EXPECT_EQ(error.code(), Code::kInvalidArgument);
  EXPECT_EQ(error.message(), "chat template line 2: roles must alternate");
}

TEST(ChatTemplateRefusal, SourceAndNesting) {
  EXPECT_EQ(Refusal(std::string(kMaxTemplateBytes + 1, 'x')).code(), Code::kResourceExhausted);
  for (const char* open : {"(", "[", "-", "not ", "{'a':", "x if ", "a.b[", "f(", "a|join("}) {
    EXPECT_FALSE(Render("{{ " + Repeat(open, 20000))) << open;
  }
  EXPECT_EQ(Refusal("{{ " + Repeat("(", 1000) + "1" + Repeat(")", 1000) + " }}").code(), Code::kResourceExhausted);
  EXPECT_EQ(Refusal("{{ 1" + Repeat("+1", 1000) + " }}").code(), Code::kResourceExhausted);
  EXPECT_EQ(Refusal("{{ x" + Repeat(".a", 1000) + " }}").code(), Code::kResourceExhausted);
  EXPECT_EQ(Refusal(Repeat("{% if 1 %}", 1000) + Repeat("{% endif %}", 1000)).code(), Code::kResourceExhausted);
  EXPECT_EQ(Text("{{ 1" + Repeat("+1", 100) + " }}"), "101");
  EXPECT_EQ(Text("{% if 0 %}" + Repeat("{% elif 0 %}", 5000) + "{% else %}end{% endif %}"), "end");
}

// Each would run for hours or fill the memory; all must end at a limit.
TEST(ChatTemplateRefusal, HostileTemplatesEnd) {
  std::string doubling = "{% set ns = namespace(s='ab', l=[1]) %}";
  std::string million = "{% for a in range(1000) %}{% for b in range(1000) %}";
  std::string ends = "{% endfor %}{% endfor %}";
  for (const std::string& source : std::vector<std::string>{
           "{% for a in range(1000000000000) %}x{% endfor %}",
           million + "{% for c in range(1000) %}{% for d in range(1000) %}{% endfor %}{% endfor %}" + ends,
           doubling + "{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
           doubling + "{% for i in range(100) %}{% set ns.s = ns.s ~ ns.s %}{{ ns.s }}{% endfor %}",
           doubling + "{% for i in range(100) %}{% set ns.l = ns.l + ns.l %}{% endfor %}",
           doubling + "{% for i in range(100) %}{% set ns.s = ns.s | replace('', ns.s) %}{% endfor %}",
           doubling + "{% for i in range(100) %}{% set ns.s = [ns.s, ns.s, ns.s] | join(ns.s) %}{% endfor %}",
           doubling + "{% for i in range(1000) %}{% set ns.l = [ns.l] %}{% endfor %}",
           doubling + "{% for i in range(1000) %}{% set ns.l = [ns.l, ns.l] %}{% if i == 60 %}{{ ns.l }}{% endif %}{% endfor %}",
           doubling + "{% set ns.self = ns %}",
           doubling + "{% set ns.self = [[ns]] %}",
           std::string("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"),
           std::string("{% macro f(n) %}{{ f(n) }}{{ f(n) }}{% endmacro %}{{ f(1) }}"),
           std::string("{% macro f(a=f()) %}{% endmacro %}{{ f() }}"),
           "{% set s %}" + Repeat("a", 100000) + "{% endset %}" + million + "{% if s + 'b' in s %}{% endif %}" + ends,
           "{% set s %}" + Repeat("a", 100000) + "{% endset %}" + million + "{% if s is eq s %}{% endif %}" + ends,
           "{% set s %}" + Repeat("a", 100000) + "{% endset %}" + million + "{% if s == s ~ 'b' %}{% endif %}" + ends,
           "{% set s %}" + Repeat("a ", 50000) + "{% endset %}" + million + "{% set x = s.split() %}" + ends,
           "{% set l = range(100000) %}" + million + "{% if 'x' in l %}{% endif %}{% set y = l[::-1]|sort %}" + ends,
           "{% set l = range(100000) %}" + million + "{% if 'x' is in l %}{% endif %}" + ends,
           million + "{{ {} | tojson(indent=64) }}" + ends,
           "{{ 'x' | indent(1000000000) }}",
           million + "{% set x = {'a': {'b': {'c': loop}}} %}{{ x }}" + ends,
       }) {
    Error error = Refusal(source);
    bool bounded = error.code() == Code::kResourceExhausted || error.code() == Code::kInvalidArgument;
    EXPECT_TRUE(bounded) << source.substr(0, 120) << ": " << error.message();
  }
}

TEST(ChatTemplateRefusal, LimitsAreTheCallers) {
  Json context = Context(R"({"s": "0123456789"})");
  EXPECT_EQ(Refusal("{{ s }}{{ s }}", context, {.max_output_bytes = 19}).message(), "chat template line 1: text is too long");
  EXPECT_TRUE(Render("{{ s }}{{ s }}", context, {.max_output_bytes = 20}));
  EXPECT_EQ(Refusal("{% for i in range(9) %}{% endfor %}", context, {.max_steps = 9}).message(),
            "chat template line 1: too many steps");
  EXPECT_EQ(Refusal("{{ s ~ s }}", context, {.max_work_bytes = 39}).message(), "chat template line 1: too much work");
  EXPECT_TRUE(Render("{{ s ~ s }}", context, {.max_work_bytes = 40}));
}

TEST(ChatTemplateRefusal, Context) {
  auto compiled = ChatTemplate::Compile("{{ x }}");
  ASSERT_TRUE(compiled);
  EXPECT_FALSE(compiled->Render(Json::MakeArray(), kNow));
  EXPECT_FALSE(compiled->Render(Json::MakeObject(), -1));
  Json deep = Json(1);
  for (int i = 0; i < 80; ++i) deep = Json(Json::Array{deep});
  EXPECT_EQ(Refusal("{{ x }}", Json::MakeObject({{"x", deep}})).code(), Code::kResourceExhausted);
  EXPECT_EQ(Text("ok", Json::MakeObject({{"x", deep}})), "ok");  // what the template does not name is not read
}

TEST(ChatTemplate, SmolLmShape) {
  const char* source =
      "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\n"
      "Be kind<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + "
      "'<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
  Json one = Context(R"({"messages": [{"role": "user", "content": "Hé"}], "add_generation_prompt": true})");
  EXPECT_EQ(Text(source, one),
            "<|im_start|>system\nBe kind<|im_end|>\n<|im_start|>user\nHé<|im_end|>\n<|im_start|>assistant\n");
  Json two = Context(R"({"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": ""}]})");
  EXPECT_EQ(Text(source, two), "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\n<|im_end|>\n");
}

TEST(ChatTemplate, ContentsAreNeverTemplates) {
  Json context = Context(R"({"m": "{{ 1 + 1 }}{% if %}{# #}"})");
  EXPECT_EQ(Text("{{ m }}|{% set x = m %}{{ x }}", context), "{{ 1 + 1 }}{% if %}{# #}|{{ 1 + 1 }}{% if %}{# #}");
}

TEST(ChatTemplate, WhiteSpaceControl) {
  EXPECT_EQ(Text("a\n  {% if true %}\nb\n  {% endif %}\nc\n"), "a\nb\nc");
  EXPECT_EQ(Text("a \n {%- if true -%} \n b {%- endif %} c"), "ab c");
  EXPECT_EQ(Text("a\n  {%+ if true +%}\nb{% endif %}"), "a\n  \nb");
  EXPECT_EQ(Text("a {{- 1 -}} b {#- c -#} d"), "a1bd");
  EXPECT_EQ(Text("a {%- generation -%} b {% endgeneration %}"), "ab ");
}

TEST(ChatTemplate, Expressions) {
  EXPECT_EQ(Text("{{ 1 + 2 * 3 ** 2 - 7 // 2 }} {{ 7 / 2 }} {{ 1.0 }} {{ 'a' ~ 1 }}"), "16 3.5 1.0 a1");
  EXPECT_EQ(Text("{{ 1 in [1] and 'b' not in 'abc' }} {{ not 0 }} {{ 'y' if none else 'n' }}"), "false true n");
  EXPECT_EQ(Text("{{ [1, 2, 3][::-1] }} {{ 'aé🙂'[1:] }} {{ [1, 2][-1] }} {{ {'a': 1}.a }}"), "[3, 2, 1] é🙂 2 1");
  EXPECT_EQ(Text("{% set ns = namespace(n=0) %}{% for i in range(4) if i is odd %}{% set ns.n = ns.n + i %}"
                 "{{ loop.index }}{% endfor %}{{ ns.n }}"), "124");
  EXPECT_EQ(Text("{% macro m(a, b='y') %}{{ a }}{{ b }}{% endmacro %}{{ m('x') }}{{ m(b=1, a=2) }}"), "xy21");
  EXPECT_EQ(Text("{{ strftime_now('%d %b %Y %H:%M') }}"), "26 Jul 2025 09:35");
}

TEST(ChatTemplate, JsonText) {
  Json context = Context(R"({"v": {"b": [1, 2.5, null, true], "a": "é\n\"<", "n": 9007199254740993}})");
  EXPECT_EQ(Text("{{ v | tojson }}", context), R"({"b": [1, 2.5, null, true], "a": "é\n\"<", "n": 9007199254740993})");
  EXPECT_EQ(Text("{{ v.b | tojson(indent=2) }}", context), "[\n  1,\n  2.5,\n  null,\n  true\n]");
}

// What the reference renderer lacks, with Jinja's meaning.
TEST(ChatTemplate, BeyondTheReference) {
  EXPECT_EQ(Text("{{ ['a', 'b'] | reject('equalto', 'a') | join }}{{ [0, 1] | select }}"), "b[1]");
  EXPECT_EQ(Text("{{ ['a', 'b'] | map('upper') | join('-') }} {{ 'ab' | list }} {{ 'ab' | reverse }}"), "A-B [\"a\", \"b\"] ba");
  EXPECT_EQ(Text("{{ 2.567 | round(2) }} {{ 2.1 | round(method='ceil') }} {{ dict(a=1) }}"), "2.57 3.0 {\"a\": 1}");
  EXPECT_EQ(Text("{{ 4 is divisibleby(2) }} {{ 'a' is in ['a'] }} {{ 1 is eq 1 }} {{ [] | first }}{{ x | default }}"),
            "true true true ");
}

// What @huggingface/jinja rendered (tests/templates/check.sh writes the file and names it in the environment).
TEST(ChatTemplateReference, RendersTheSame) {
  const char* path = std::getenv("TEETEE_TEMPLATE_EXPECTED");
  if (!path) GTEST_SKIP() << "run tests/templates/check.sh";
  auto bytes = ReadFile(path);
  ASSERT_TRUE(bytes);
  auto all = Json::Parse(AsText(*bytes), {.max_bytes = 64u << 20, .max_depth = 64});
  ASSERT_TRUE(all) << all.error().message();
  size_t compared = 0;
  for (const Json& c : all->Find("cases")->as_array()) {
    auto compiled = ChatTemplate::Compile(c.Find("template")->as_string());
    auto ours = compiled ? compiled->Render(*c.Find("context"), *all->GetInt64("now"))
                         : Result<std::string>(std::move(compiled).error());
    const Json* expected = c.Find("expected");
    std::string name = c.Find("name")->as_string();
    // A mapping joined to a string prints as "[object Map]" there and is refused here.
    if (expected && expected->as_string().find("[object Map]") == std::string::npos) {
      EXPECT_TRUE(ours) << name << ": " << (ours ? "" : ours.error().message());
      EXPECT_EQ(ours ? *ours : "", expected->as_string()) << name;
    } else {
      const Json* beyond = c.Find("beyond");
      EXPECT_EQ(bool(ours), beyond && beyond->as_bool()) << name << (ours ? " renders only here" : " does not render");
    }
    ++compared;
  }
  EXPECT_GT(compared, 100u);
}

}  // namespace
}  // namespace teetee::model
