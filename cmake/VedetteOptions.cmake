# Flags of every file of ours, as the interface library vedette_options.
add_library(vedette_options INTERFACE)
target_include_directories(vedette_options INTERFACE "${CMAKE_SOURCE_DIR}/src")
target_compile_definitions(vedette_options INTERFACE "VEDETTE_VERSION=\"${PROJECT_VERSION}\"")
target_compile_options(vedette_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
  # Specs are filled by designated initialisers; members left out have their defaults.
  -Wno-missing-field-initializers
  -fno-omit-frame-pointer -fstack-protector-strong
  # No path of the build machine in the binary.
  "-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # g++-12 -O3 takes `"text" + string` for an overlapping copy (GCC bug 105651).
  target_compile_options(vedette_options INTERFACE -Wno-restrict)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # g++ leaves these out of -Wconversion for C++, so we do in both.
  target_compile_options(vedette_options INTERFACE -Wno-sign-conversion
    -Wno-implicit-int-float-conversion
    # libstdc++ 12: std::stable_sort itself uses what C++17 deprecated
    -Wno-deprecated-declarations)
endif()

# Runs on any machine since about 2009; faster code for newer ones is chosen at run time, function by function.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_options(vedette_options INTERFACE -march=x86-64-v2)
endif()

# CHECK() stays on in every build; NDEBUG only silences assert() of libraries.
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g -D_GLIBCXX_ASSERTIONS")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O3 -g1 -DNDEBUG -D_FORTIFY_SOURCE=2")
set(CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELWITHDEBINFO}")
set(CMAKE_CXX_FLAGS_MINSIZEREL "-O1") # preset fast: shortest build
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(VEDETTE_SANITIZE)
  set(_sanitize "-fsanitize=${VEDETTE_SANITIZE}" -fno-sanitize-recover=all)
  target_compile_options(vedette_options INTERFACE ${_sanitize})
  target_link_options(vedette_options INTERFACE ${_sanitize})
endif()

# lld: Debian names it ld.lld-19; g++ only looks for "ld.lld", clang takes a path.
find_program(VEDETTE_LLD NAMES ld.lld PATHS /usr/lib/llvm-19/bin NO_CMAKE_SYSTEM_PATH NO_SYSTEM_ENVIRONMENT_PATH)
find_program(VEDETTE_LLD NAMES ld.lld-19 ld.lld)
if(VEDETTE_LLD)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    target_link_options(vedette_options INTERFACE "--ld-path=${VEDETTE_LLD}")
  else()
    cmake_path(GET VEDETTE_LLD PARENT_PATH _lld_dir)
    target_link_options(vedette_options INTERFACE "-B${_lld_dir}" -fuse-ld=lld)
  endif()
endif()
target_link_options(vedette_options INTERFACE -Wl,--as-needed
  $<$<CONFIG:RelWithDebInfo>:-Wl,-z,relro,-z,now>)

find_program(VEDETTE_CCACHE ccache)
if(VEDETTE_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${VEDETTE_CCACHE}")
endif()
