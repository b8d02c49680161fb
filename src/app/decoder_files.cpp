#include "app/decoder_files.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace vedette::app {
namespace decoder_file {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMost = 16U << 20;  // bytes of one file

bool is_decoder_file(fs::path const& path) {
  return path.extension() == ".yaml" || path.extension() == ".yml" ||
         path.parent_path().filename() == "patterns";
}

Result<catalog::ContentFile> read(fs::path const& path) {
  std::error_code code;
  auto const size = fs::file_size(path, code);
  if (code) {
    return fail("cannot read " + path.string() + ": " + code.message());
  }
  if (size > kMost) {
    return fail("the decoder file " + path.string() + " is larger than 16 MiB");
  }
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in) {
    return fail("cannot read " + path.string());
  }
  return catalog::ContentFile{path.string(), std::move(text)};
}

}  // namespace
}  // namespace decoder_file

Result<std::vector<catalog::ContentFile>> decoder_files(std::vector<std::string> const& paths) {
  namespace fs = std::filesystem;
  std::vector<catalog::ContentFile> out;
  for (std::string const& given : paths) {
    std::vector<fs::path> found;
    std::error_code code;
    if (fs::is_directory(given, code)) {
      for (fs::recursive_directory_iterator at(given, code);
           !code && at != fs::recursive_directory_iterator(); at.increment(code)) {
        if (at->is_regular_file(code) && decoder_file::is_decoder_file(at->path())) {
          found.push_back(at->path());
        }
      }
    } else {
      found.emplace_back(given);
      code = fs::exists(given, code) ? std::error_code{}
                                     : std::make_error_code(std::errc::no_such_file_or_directory);
    }
    if (code) {
      return fail("cannot read the decoders " + given + ": " + code.message(),
                  "name a file or a folder with *.yaml");
    }
    std::sort(found.begin(), found.end());
    for (fs::path const& path : found) {
      TRY(out.emplace_back(), decoder_file::read(path));
    }
  }
  auto const shipped = catalog::embedded_content("decoders/");
  out.insert(out.end(), shipped.begin(), shipped.end());
  return out;
}

}  // namespace vedette::app
