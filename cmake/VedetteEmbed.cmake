# content/ becomes one table in the program: tools/embed_content.cpp writes it, src/catalog/embedded.hpp declares it.
add_executable(vedette_embed_content "${CMAKE_SOURCE_DIR}/tools/embed_content.cpp")
target_sources(vedette_embed_content PRIVATE $<TARGET_OBJECTS:room_base>)
target_link_libraries(vedette_embed_content PRIVATE vedette_options vedette_deps)

function(vedette_embed_content target)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS LIST_DIRECTORIES false "${CMAKE_SOURCE_DIR}/content/*")
  set(out "${CMAKE_BINARY_DIR}/generated/embedded.cpp")
  # The list of names is an input too, so that a removed file is noticed.
  list(JOIN files "\n" names)
  file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/generated/embedded.list" CONTENT "${names}\n" @ONLY)
  add_custom_command(OUTPUT "${out}"
    COMMAND vedette_embed_content
            "${CMAKE_SOURCE_DIR}/content" "${CMAKE_BINARY_DIR}/generated/embedded.list" "${out}"
    DEPENDS ${files} "${CMAKE_BINARY_DIR}/generated/embedded.list"
    COMMENT "Embedding content/" VERBATIM)
  target_sources(${target} PRIVATE "${out}")
  set_source_files_properties("${out}" TARGET_DIRECTORY ${target} PROPERTIES
    SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()
