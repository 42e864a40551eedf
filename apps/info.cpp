#include "apps/info.h"

#include <algorithm>
#include <filesystem>
#include <iomanip>
#include <memory>
#include <ostream>
#include <span>

#include <nlohmann/json.hpp>

#include "apps/checkpoint.h"
#include "apps/config.h"
#include "apps/generators.h"
#include "apps/methods.h"
#include "apps/run_folder.h"
#include "data/dataset.h"
#include "data/images.h"
#include "engine/error.h"

namespace apps {

namespace fs = std::filesystem;

namespace {

/// A line `name   value`.
template <class Value>
void print(std::ostream& out, const std::string& name, const Value& value) {
  out << std::left << std::setw(20) << name << value << '\n';
}

void print_facts(std::ostream& out, const DataFacts& facts) {
  print(out, "points", facts.count);
  print(out, "dimension", facts.dimension);
  if (facts.images())
    print(out, "images", engine::text(facts.height, "x", facts.width, ", ", data::colours_of(facts.channels)));
  for (const data::Column& column : facts.columns) {
    std::string kind = column.whole ? "whole numbers" : "numbers";
    for (const std::string& category : column.categories)
      kind = (&category == &column.categories.front() ? "" : kind + ", ") + category;
    print(out, "column", column.name.empty() ? kind : column.name + ": " + kind);
  }
  std::string classes;
  for (const ClassFacts& one : facts.classes) classes += (classes.empty() ? "" : ", ") + one.name;
  if (!classes.empty()) print(out, "classes", classes);
  print(out, "SHA-256", facts.sha256);
}

struct Moments {
  double low, high, mean, mean_squared_norm;
};

/// Of coordinates that stand for `unit` times their number.
template <class Number>
Moments moments_of(std::span<const Number> numbers, double unit, std::int64_t count) {
  double sum = 0, squares = 0;
  for (const Number number : numbers) {
    const double value = unit * static_cast<double>(number);
    sum += value;
    squares += value * value;
  }
  const auto [low, high] = std::minmax_element(numbers.begin(), numbers.end());
  return {unit * static_cast<double>(*low), unit * static_cast<double>(*high),
          sum / static_cast<double>(numbers.size()), squares / static_cast<double>(count)};
}

void describe_data(const std::string& source, std::ostream& out) {
  const data::Dataset dataset = data::load(source, 0, digits_seed);
  const Moments moments = dataset.bytes.empty() ? moments_of(std::span(dataset.values), 1, dataset.count)
                                                : moments_of(std::span(dataset.bytes), 1.0 / 255, dataset.count);
  print(out, "data", source);
  print_facts(out, facts_of(dataset));
  if (!dataset.remark.empty()) print(out, "remark", dataset.remark);
  if (!dataset.left_out.empty()) print(out, "left out", dataset.left_out);
  print(out, "values", engine::text(moments.low, " to ", moments.high, ", mean ", moments.mean));
  print(out, "alpha", engine::text(moments.mean_squared_norm, " (the mean of |y|^2)"));
}

/// Python that makes an equal network and loads the run's generator into it.
void print_pytorch(const RunFolder& folder, const Config& config, std::ostream& out) {
  const std::unique_ptr<models::Generator> generator = make_generator(config.options, config.data);
  const DataFacts& data = config.data;
  out << "\nIn PyTorch:\n\n"
         "from safetensors.torch import load_file\n"
         "from torch import nn\n"
         "generator = nn.Sequential(\n";
  for (const std::string& layer : generator->pytorch()) out << "    " << layer << ",\n";
  out << ")\n"
      << "tensors = load_file(" << std::quoted(folder.checkpoint()) << ")\n"
      << "generator.load_state_dict({name[10:]: tensors[name] for name in tensors if "
         "name.startswith(\"generator.\")})\n"
      << "generator.eval()  # z [B, " << generator->latent_dimension();
  if (config.options.generator == "dcgan")
    out << ", 1, 1] -> images [B, " << data.channels << ", " << data.height << ", " << data.width << "]\n";
  else
    out << "] -> points [B, " << data.dimension << "]\n";
  if (config.scaling.none()) return;
  const bool diagonal = config.scaling.scale().size() == config.scaling.shift().size();
  out << "# x = generator(z) " << (diagonal ? "*" : "@")
      << " tensors[\"scaling.scale\"] + tensors[\"scaling.shift\"]\n";
}

/// Also where the generator is a conditional one, which has a psi for each class.
bool is_of_psi(const std::string& name) {
  const std::size_t prefix = name.starts_with("class.") ? name.find('.', 6) + 1 : 0;
  return name.compare(prefix, name.npos, "psi") == 0 || name.compare(prefix, 4, "psi.") == 0;
}

void describe_run(const RunFolder& folder, std::ostream& out) {
  const Config config = read_config(folder.config());
  print(out, "run", folder.root.string());
  print(out, "made by", "semidual " + config.version + " (" + config.precision + ")");
  for_each_option(config.options, [&](const char* name, const auto& value, OnResume, const char*) {
    print(out, std::string("--") + name, value);
  });
  print_facts(out, config.data);

  if (fs::exists(folder.checkpoint())) {
    const Checkpoint checkpoint = read_checkpoint(folder.checkpoint());
    std::int64_t theta = 0, psi = 0;
    for (const auto& [name, tensor] : checkpoint.tensors) {
      if (name.starts_with("generator.") && name.find(".running_") == name.npos) theta += tensor.size();
      if (is_of_psi(name)) psi += tensor.size();
    }
    print(out, "iterations done", checkpoint.iterations);
    print(out, "parameters", engine::text(theta, " of the generator, ", psi, " of psi"));
  }
  if (fs::exists(folder.metrics()))
    if (const Metrics::Row last = Metrics::last(folder.metrics()); last.iteration >= 0)
      print(out, engine::text("last ", loss_symbol(config.options)),
            engine::text(last.loss, " (iteration ", last.iteration, ", the first is 0)"));
  for (const std::string& file : {folder.config(), folder.metrics(), folder.checkpoint(), folder.report()})
    if (fs::exists(file)) print(out, "file", engine::text(file, " (", fs::file_size(file), " bytes)"));
  std::error_code none;
  const auto grids = std::distance(fs::directory_iterator(folder.samples(), none), fs::directory_iterator());
  if (grids > 0) print(out, "sample pictures", engine::text(grids, " in ", folder.samples().string()));
  print_pytorch(folder, config, out);
}

}  // namespace

void info(const std::string& what, const Console& console) {
  const RunFolder folder{what};
  if (fs::exists(folder.config()))
    describe_run(folder, console.out);
  else
    describe_data(what, console.out);
}

}  // namespace apps
