#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

// Each measures in the calling process; in_child() gives it one. Times are medians in ms over several batches of 200
// queries. Before it takes them, each compares all values, and winners or mass, with the brute force's and a value of
// each batch with a long double oracle's, and throws engine::Error where they differ.

/// The time and rate of the product at the heart of a c-transform on all of MNIST as engine::gemm computes it,
/// [200, 784] x [784, 60000]: ms, GFLOP/s.
std::vector<double> plain_product();

/// The c-transform of a snapshot of a trajectory on `data`, with the mass where lambda > 0, as the inner loop needs it:
/// ms, that over `product_ms` and over the brute force's, largest error in 1e-6, and what the search computed for a
/// query (ot::SearchWork; zeros where it left all to the brute force): groups, values; calls by search, in digits and
/// dense (ot::Transformer::ways()).
std::vector<double> run_c_transform(const std::string& data, const std::string& trajectory, std::int64_t iteration,
                                    double lambda, double product_ms);

/// The same on 1 and on 2 threads: ms on 1, ms on 2, their ratio.
std::vector<double> threaded_c_transform(const std::string& data, const std::string& trajectory, std::int64_t iteration,
                                         double lambda);

constexpr std::int64_t few_points = 60000, many_points = 1000000;

/// The c-transform, lambda 0, to few_points and to many_points of the built-in digits, of the queries and with the psi
/// of a run on each: ms to the fewer, ms to the more, their ratio, and to the more: largest error in 1e-6, groups,
/// values, calls by way.
std::vector<double> many_points_c_transform(const std::string& few_trajectory, const std::string& many_trajectory,
                                            std::int64_t iteration);
/// The same of blurred digits, equal for both, with random values of psi, by which no two neighbours are alike.
std::vector<double> many_points_c_transform();

/// 200 queries of many_points of dimension 50 on one thread, psi = 0: the c-transform's brute force against a tree of
/// two layers, 1000 clusters of k-means (`--method leclaire-rabin`), whose way is compared with its definition: ms of
/// each, their ratio.
std::vector<double> restricted_query();

/// The bias of --target-batch: H of a snapshot's psi on its first batch of queries, to all points and as steps see it
/// that draw so many of the points: H, its mean over 20 draws, their standard deviation, mean less H.
std::vector<double> target_batch_values(const std::string& data, const std::string& trajectory, std::int64_t iteration,
                                        double lambda, std::int64_t points);

}  // namespace bench
