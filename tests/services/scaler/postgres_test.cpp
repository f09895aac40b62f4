// The scaler's tables in a real PostgreSQL: columns, what its role may do, what people see.

#include "services/scaler/rows.hpp"
#include "tests/common/postgres/fixture.hpp"
#include "tests/common/store/columns.hpp"

namespace lepton::scaler::testing {
namespace {

class ScalerPostgres : public postgres::WithService {
 protected:
  ScalerPostgres() : WithService("scaler") {}
};

TEST_F(ScalerPostgres, RowsAreThoseOfTheMigration) {
  auto session = postgres::Session::open(admin_url());
  ASSERT_TRUE(session);
  store::expect_same_columns<ScalingRow>(*session, "scaler");
  store::expect_same_columns<ScaleDecision>(*session, "scaler");
}

TEST_F(ScalerPostgres, DecisionsAreAddedAndNeverChanged) {
  auto const* role = "lepton_scaler";
  EXPECT_EQ(as(role,
               "INSERT INTO scaler.scale_decision VALUES ('web', 1, 1800000000000, 'hpa', 1, 2, 2, "
               "'none', 'why', 'cpu', NULL, 0.7, 1, 0, 0)"),
            "ok");
  EXPECT_EQ(as(role, "INSERT INTO scaler.scaling VALUES ('web', '{}', 2, 1, '[]', false)"), "ok");
  EXPECT_EQ(as(role, "UPDATE scaler.scaling SET wanted = 3"), "ok");
  EXPECT_TRUE(is_refused(role, "UPDATE scaler.scale_decision SET reason = ''"));
  EXPECT_TRUE(is_refused(role, "DELETE FROM scaler.scale_decision"));
  EXPECT_TRUE(is_refused(role, "DELETE FROM scaler.scaling"));
}

TEST_F(ScalerPostgres, PeopleSeeTheViewsOnly) {
  auto const* role = "lepton_reader";
  EXPECT_EQ(as(role, "SELECT at, replicas, reason FROM scaler.scale_decisions"), "ok");
  EXPECT_EQ(as(role, "SELECT service, replicas FROM scaler.scaled_services"), "ok");
  EXPECT_TRUE(is_refused(role, "SELECT * FROM scaler.scaling"));
  EXPECT_TRUE(is_refused(role, "SELECT * FROM scaler.scale_decision"));
}

}  // namespace
}  // namespace lepton::scaler::testing
