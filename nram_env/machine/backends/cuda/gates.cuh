// The gates, numbered as nram_env.machine.Gate numbers them.
#pragma once
#include "platform.cuh"
#define HOST_DEV __host__ __device__
#define MEMBER __device__ __forceinline__

enum Gate { READ, ZERO, ONE, TWO, INC, ADD, SUB, DEC, LESS, LESS_EQUAL, EQUAL, MIN, MAX, WRITE };

HOST_DEV constexpr bool is_constant(int gate) { return gate == ZERO || gate == ONE || gate == TWO; }
HOST_DEV constexpr bool is_pair(int gate) { return gate == LESS || gate == LESS_EQUAL || gate == EQUAL; }  // 0 or 1 comes out
HOST_DEV constexpr int arity(int gate) { return is_constant(gate) ? 0 : gate == READ || gate == INC || gate == DEC ? 1 : 2; }
