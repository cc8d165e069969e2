describe "Post" do
end
