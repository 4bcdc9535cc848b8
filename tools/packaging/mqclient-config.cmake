# find_package(mqclient): the targets mqclient::mqclient and mqclient::mqembedded (shared libraries), and
# mqclient::mqclient_static and mqclient::mqembedded_static.
get_filename_component(mqclient_libraries "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
find_path(mqclient_headers mqclient/mqclient.h
          HINTS "${mqclient_libraries}/../include" "${mqclient_libraries}/../../include" NO_CACHE)

include(CMakeFindDependencyMacro)
find_dependency(Threads)

function(mqclient_add_target name kind file)
    if(TARGET mqclient::${name} OR NOT EXISTS "${mqclient_libraries}/${file}")
        return()
    endif()
    add_library(mqclient::${name} ${kind} IMPORTED)
    set_target_properties(mqclient::${name} PROPERTIES
        IMPORTED_LOCATION "${mqclient_libraries}/${file}"
        INTERFACE_INCLUDE_DIRECTORIES "${mqclient_headers}")
endfunction()

mqclient_add_target(mqclient SHARED libmqclient.so)
mqclient_add_target(mqembedded SHARED libmqembedded.so)
mqclient_add_target(mqclient_static STATIC libmqclient.a)
mqclient_add_target(mqembedded_static STATIC libmqembedded.a)
foreach(mqclient_suffix "" "_static")
    if(TARGET mqclient::mqembedded${mqclient_suffix})
        set_property(TARGET mqclient::mqembedded${mqclient_suffix} PROPERTY
            INTERFACE_LINK_LIBRARIES mqclient::mqclient${mqclient_suffix})
    endif()
endforeach()
if(TARGET mqclient::mqclient_static)
    set_property(TARGET mqclient::mqclient_static PROPERTY
        INTERFACE_LINK_LIBRARIES ssl crypto jansson z lz4 zstd ${CMAKE_DL_LIBS}
            Threads::Threads)
endif()

if(NOT mqclient_headers OR NOT TARGET mqclient::mqclient)
    set(mqclient_FOUND FALSE)
    set(mqclient_NOT_FOUND_MESSAGE "libmqclient.so or its headers are not beside ${CMAKE_CURRENT_LIST_FILE}")
endif()
