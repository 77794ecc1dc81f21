#pragma once
#include <hdf5.h>

// HDF5 spells its constants as macros that call H5open(), which Swift does not import.

static inline hid_t gambit_h5_native_float(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t gambit_h5_native_double(void) { return H5T_NATIVE_DOUBLE; }
static inline hid_t gambit_h5_native_int32(void) { return H5T_NATIVE_INT32; }
static inline hid_t gambit_h5_native_int64(void) { return H5T_NATIVE_INT64; }
static inline hid_t gambit_h5_native_uint32(void) { return H5T_NATIVE_UINT32; }
static inline hid_t gambit_h5_native_uint64(void) { return H5T_NATIVE_UINT64; }
static inline hid_t gambit_h5_native_uint8(void) { return H5T_NATIVE_UINT8; }
static inline hid_t gambit_h5_stored_float(void) { return H5T_IEEE_F32LE; }
static inline hid_t gambit_h5_stored_double(void) { return H5T_IEEE_F64LE; }
static inline hid_t gambit_h5_stored_int32(void) { return H5T_STD_I32LE; }
static inline hid_t gambit_h5_stored_int64(void) { return H5T_STD_I64LE; }
static inline hid_t gambit_h5_stored_uint32(void) { return H5T_STD_U32LE; }
static inline hid_t gambit_h5_stored_uint64(void) { return H5T_STD_U64LE; }
static inline hid_t gambit_h5_stored_uint8(void) { return H5T_STD_U8LE; }
static inline hid_t gambit_h5_c_string(void) { return H5T_C_S1; }
static inline size_t gambit_h5_variable_length(void) { return H5T_VARIABLE; }
static inline hid_t gambit_h5_file_create_class(void) { return H5P_FILE_CREATE; }
static inline hid_t gambit_h5_file_access_class(void) { return H5P_FILE_ACCESS; }
static inline hid_t gambit_h5_group_create_class(void) { return H5P_GROUP_CREATE; }
static inline hid_t gambit_h5_dataset_create_class(void) { return H5P_DATASET_CREATE; }
static const hid_t gambit_h5_default_properties = H5P_DEFAULT;
static const hid_t gambit_h5_default_errors = H5E_DEFAULT;
static const hid_t gambit_h5_whole_space = H5S_ALL;
static inline unsigned gambit_h5_read_only(void) { return H5F_ACC_RDONLY; }
static inline unsigned gambit_h5_exclusive(void) { return H5F_ACC_EXCL; }
static inline H5L_type_t gambit_h5_external_link(void) { return H5L_TYPE_EXTERNAL; }
